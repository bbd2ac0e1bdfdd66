"""What stands for a cluster's network and files on one machine: the only place where something rendered is changed.

Every pod has an address of its own, of 127.0.0.0/8, which Linux answers at without further ado, and so keeps the ports
that it was rendered with. Names of services become addresses, paths of volumes become folders; all else stays.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"  # Ray's, which knows no other loopback address
ANYWHERE = "0.0.0.0"  # where servers in pods listen: here at their pod's address alone


def _network() -> str:
    return f"127.{random.randint(1, 254)}.{random.randint(0, 255)}"  # so that two runs do not meet


@dataclass
class Machine:
    """Where things of a release are here."""

    folder: Path  # of the run; its name is short, as Ray puts sockets into it
    services: dict[str, str] = field(default_factory=dict)  # HOST:PORT as rendered → HOST:PORT here
    network: str = field(default_factory=_network)

    def address(self, number: int) -> str:
        """Of the pod with this number, from 1 to 254."""
        return f"{self.network}.{number}"

    def here(self, text: str, paths: Mapping[str, Path], address: str) -> str:
        """A rendered text as it must read on this machine, for a pod with these volumes and this address."""
        words = {path: str(folder) for path, folder in paths.items()} | self.services | {ANYWHERE: address}
        # In one pass, longest first, so that nothing is changed twice; a path also where it begins a longer one.
        any_of = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        return re.sub(rf"(?<![\w.-])({any_of})(?![\w.-])", lambda found: words[found[1]], text)
