"""`ray start` for a second node on the loopback address.

Ray refuses it there, because it takes whoever wants that address for Windows. Only this question is answered otherwise:
its addresses stay on the loopback, so that nothing listens elsewhere.
"""

import sys
from types import SimpleNamespace


def main() -> None:
    from ray.scripts import scripts

    scripts.ray_constants = SimpleNamespace(**{**vars(scripts.ray_constants), "ENABLE_RAY_CLUSTER": True})
    sys.argv = ["ray", "start", *sys.argv[1:]]
    scripts.main()


if __name__ == "__main__":
    main()
