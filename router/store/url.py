"""The database's address, as it is written in the configuration: `sqlite:///path` or `postgresql://user:pw@host/db`.

The path behind `sqlite:///` is relative to the working directory, and absolute with a fourth slash. Everything that
libpq understands may follow `postgresql://`: several hosts, a socket's directory (`?host=`), `sslmode`, `sslrootcert`.
"""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Kind(Enum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """The text is a secret: it may hold a password."""

    kind: Kind
    text: str = field(repr=False)
    path: Path | None = None  # of SQLite's file

    def __str__(self) -> str:
        return self.kind.value if self.path is None else f"{self.kind.value}:///{self.path}"


def parse(text: str) -> DatabaseUrl:
    """
    Raises:
        ValueError: it is neither form; the message does not repeat it.
    """
    scheme, separator, rest = text.partition("://")
    match scheme.partition("+")[0], separator:
        case (("postgresql" | "postgres"), "://") if _has_valid_ports(rest):
            return DatabaseUrl(Kind.POSTGRESQL, f"postgresql://{rest}")
        case "sqlite", "://" if rest.startswith("/") and len(rest) > 1 and not rest.startswith("/:memory:"):
            return DatabaseUrl(Kind.SQLITE, text, Path(unquote(rest[1:])))
        case (("postgresql" | "postgres"), _):
            raise ValueError("PostgreSQL needs postgresql://user:password@host:port/database")
        case "sqlite", _:
            raise ValueError("SQLite needs a file: sqlite:///path, or sqlite:////absolute/path")
        case _:
            raise ValueError("must begin with sqlite:/// or postgresql://")


def _has_valid_ports(rest: str) -> bool:
    """The driver would find out too, but late, and would name what it read."""
    hosts = rest.partition("?")[0].partition("/")[0].rpartition("@")[2]
    try:
        return all(urlsplit(f"//{host}").port != 0 for host in hosts.split(","))
    except ValueError:
        return False
