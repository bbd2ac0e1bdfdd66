"""Runs `with_stack` on the fakes: python session.py FOLDER ENGINES_MANNER WORK, where WORK is wait, return or fail."""

import signal
import sys
from pathlib import Path

from deploy.cli.screen import Screen
from deploy.cli.session import with_stack
from deploy.local import Commands, Options, Stack
from deploy.problem import Problem

HERE = Path(__file__).parent


def main(folder: str, manner: str, what: str) -> int:
    def work(stack: Stack, screen: Screen) -> int:
        screen.say("working")
        if what == "fail":
            raise Problem("the work failed")
        if what == "wait":
            signal.pause()
        return 0

    engines = (sys.executable, str(HERE / "engines.py"), manner)
    router = (sys.executable, str(HERE / "router.py"), "1")
    try:
        return with_stack(Options(folder=Path(folder)), work, Commands(engines=engines, router=router))
    except Problem as problem:
        print(problem, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
