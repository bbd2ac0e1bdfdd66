"""How routers find and tell each other. The secret they share is given apart, as all secrets are."""

from dataclasses import dataclass

from router.protocol.outbox import MAX_HEARD
from router.upstream.peers import host_and_port


@dataclass(frozen=True, slots=True)
class GossipSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    listen: str = "0.0.0.0:8082"  # host:port to hear other routers at, by UDP; [::]:8082 for IPv6 and IPv4
    peers: tuple[str, ...] = ()  # host:port of each router; this one may be among them
    dns: str | None = None  # host:port of a name whose addresses are the routers', e.g. of a headless service
    # seconds between tellings: at 100 ms goodput is a point lower, below 50 ms it hardly rises
    interval_s: float = 0.05
    expiry_s: float = 1.0  # seconds until a silent router is forgotten: 20 tellings are not lost by chance
    resolve_s: float = 2.0  # seconds between questions for the names' addresses: a new router is soon found
    max_peers: int = 32  # routers heard and told; each costs every other a fixed share of its time
    max_accounts: int = 256  # whose service is told, those who got most: the others' is small anyhow
    insert_bytes: int = 32_768  # of prefixes told per tick: 20 prompts of 200 blocks
    queue_bytes: int = 262_144  # of prefixes that may wait for their tick: 0.4 s of the most that is told
    receive_buffer_bytes: int = 4_194_304  # asked of the system, which may grant less (net.core.rmem_max)

    def __post_init__(self) -> None:
        for name, texts in (
            ("listen", (self.listen,)),
            ("peers", self.peers),
            ("dns", (self.dns,) if self.dns else ()),
        ):
            for text in texts:
                try:
                    host_and_port(text)
                except ValueError as error:
                    raise ValueError(f"{name} must name host:port: {error}") from None
        for name in ("interval_s", "resolve_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if self.expiry_s < 4 * self.interval_s:
            raise ValueError(f"expiry_s must be at least 4 intervals ({4 * self.interval_s} s), got {self.expiry_s}")
        if not 1 <= self.max_peers <= MAX_HEARD:
            raise ValueError(f"max_peers must be from 1 to {MAX_HEARD}, got {self.max_peers}")
        for name, least in (("max_accounts", 0), ("insert_bytes", 1_200), ("receive_buffer_bytes", 1_200)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.queue_bytes < self.insert_bytes:
            raise ValueError(f"queue_bytes must be at least insert_bytes, got {self.queue_bytes}")
