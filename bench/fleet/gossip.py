"""How the routers of a run hear of each other: the production mesh, with messages that are values and may be lost.

Every 50 ms each router tells all others its whole load vector and the prompts it has sent somewhere lately (each told
twice). What has not changed and was heard is told again only twice a second, to show that its router lives: more would
change nothing and take hours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from router.policy.apart import Apart
from router.policy.catalog import EndpointId
from router.policy.gossip import Insert, Part, name_hash, pack_hashes
from router.policy.mesh import Mesh

if TYPE_CHECKING:
    from bench.fleet.router import Router

_TIMES = 2  # that each insert is told
_SIGN_OF_LIFE_S = 0.5


@dataclass(frozen=True, slots=True)
class Several:
    """Routers side by side. Raises ValueError when a field is out of its range."""

    count: int = 1
    period_s: float = 0.05  # between two tellings
    loss: float = 0.0  # share of messages
    has_bus: bool = True  # False: none is ever heard

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count must be at least 1, got {self.count}")
        if not self.period_s > 0:
            raise ValueError(f"period_s must be above 0, got {self.period_s}")
        if not 0 <= self.loss < 1:
            raise ValueError(f"loss must be from 0 to below 1, got {self.loss}")


class _Voice:
    """What one router has told."""

    def __init__(self, count: int) -> None:
        self.seq = 0
        self.rows: tuple[tuple[int, int, int, int], ...] = ()
        self.changed = 0  # the telling in which the rows changed last
        self.heard = [0] * count  # by each other: the latest telling that arrived
        self.at = [-1.0] * count
        self.inserts: list[tuple[int, Insert]] = []  # with how often they are still to be told
        self.serial = 0


class Bus:
    """Carries every message at once, or loses it."""

    def __init__(self, several: Several, endpoint_ids: Sequence[EndpointId], rng: Random) -> None:
        self.period_s = several.period_s
        self._several = several
        self._endpoint_ids = endpoint_ids
        self._hashes = {endpoint_id: name_hash(endpoint_id) for endpoint_id in endpoint_ids}
        self._rng = rng
        self._voices = [_Voice(several.count) for _ in range(several.count)]
        self._boots = tuple(rng.getrandbits(63) for _ in range(several.count))
        self._meshes: list[Mesh] = []
        self._routers: Sequence[Router] = ()

    def announcer(self, number: int) -> Callable[[EndpointId, Sequence[int]], None]:
        """What the router of that number calls when it has sent a prompt somewhere."""
        voice = self._voices[number]

        def announce(endpoint_id: EndpointId, hashes: Sequence[int]) -> None:
            if self._several.count > 1 and hashes:
                voice.serial += 1
                voice.inserts.append((_TIMES, Insert(self._hashes[endpoint_id], voice.serial, pack_hashes(hashes))))

        return announce

    def connect(self, routers: "Sequence[Router]") -> None:
        """These are the routers, in order."""
        self._routers = routers
        for boot, router in zip(self._boots, routers, strict=True):
            mesh = Mesh(boot_id=boot, set_peers=router.load.set_peers, insert=router.index.add)
            mesh.know(self._endpoint_ids)
            mesh.expect(len(routers) - 1)
            self._meshes.append(mesh)

    def first_telling_s(self, number: int) -> float:
        """Routers do not tell in step."""
        return self.period_s * (number + 1) / self._several.count

    def is_alone(self, number: int, now: float) -> bool:
        """Does the router of that number hear none of the others?"""
        return self._meshes[number].is_alone(now)

    def apart(self, number: int) -> Apart | None:
        """What the router of that number does while it is alone; None: there are no others."""
        if self._several.count == 1:
            return None
        return Apart(self._boots[number], lambda now: self.is_alone(number, now))

    def tell(self, number: int, now: float) -> None:
        """One router tells all others."""
        voice, several = self._voices[number], self._several
        inserts = tuple(insert for _, insert in voice.inserts)
        voice.inserts = [(times - 1, insert) for times, insert in voice.inserts if times > 1]
        if not several.has_bus:
            return
        voice.seq += 1
        self._meshes[number].expire(now)
        own, hashes = self._routers[number].load.own(), self._hashes
        rows = tuple((hashes[each], load.queued, load.streams, load.context) for each, load in own)
        if rows != voice.rows:
            voice.rows, voice.changed = rows, voice.seq
        part = None
        for other, mesh in enumerate(self._meshes):
            if other == number:
                continue
            is_news = bool(inserts) or voice.heard[other] < voice.changed
            if not is_news and now - voice.at[other] < _SIGN_OF_LIFE_S:
                continue
            if self._rng.random() < several.loss:
                continue
            if part is None:
                boot = self._boots[number]
                part = Part(str(number), boot, voice.seq, heard=self._boots, rows=rows, inserts=inserts)
            mesh.hear(part, now)
            voice.heard[other], voice.at[other] = voice.seq, now
