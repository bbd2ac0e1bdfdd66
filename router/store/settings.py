"""How the router treats its database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # connections of one router, at most: one writes the ledger, one borrows, the others answer for keys and the
    # console. PostgreSQL allows 100 in all by default, which 20 routers share
    connections: int = 5
    connect_s: float = 3.0  # seconds to open a connection; a healthy one takes a tenth of that, over TLS too
    wait_s: float = 2.0  # for a free connection; longer means that all of them hang
    statement_s: float = 5.0  # for one statement, and for a row that another router has locked; usual are milliseconds
    # for all of one call, its wait for a connection included: nobody waits for a database that hangs. A connection that
    # hangs is given two more seconds to be closed
    call_s: float = 10.0
    migrate_s: float = 120.0  # for all migrations; routers that start together wait for the one that performs them
    recycle_s: float = 1_800.0  # age at which a connection is replaced: after a failover all reach the new server

    def __post_init__(self) -> None:
        if self.connections < 2:
            raise ValueError(
                f"connections must be at least 2, got {self.connections}: who writes must not lock out who reads"
            )
        for name in ("connect_s", "wait_s", "statement_s", "call_s", "migrate_s", "recycle_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if self.call_s < self.statement_s:
            raise ValueError(f"call_s must be at least statement_s, got {self.call_s}")


DEFAULTS = DatabaseSettings()
