"""The same targets under atheris, which looks where each input gets to: for longer runs than CI has.

    python -m tests.fuzz.coverage_guided chat -max_total_time=600 tests/fuzz/corpus/chat

Not among the dependencies: `pip install atheris`.
"""

import sys

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["router.protocol", "router.upstream"]):
    from tests.fuzz.targets import TARGETS
    from tests.fuzz.watch import Watch


def main(arguments: list[str]) -> None:
    """`arguments`: the target's name, then libFuzzer's own."""
    if len(arguments) < 2 or arguments[1] not in TARGETS:
        sys.exit(f"one of: {' '.join(TARGETS)}")
    atheris.Setup([arguments[0], *arguments[2:]], Watch(arguments[1]).feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
