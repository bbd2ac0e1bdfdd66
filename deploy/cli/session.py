"""What `up` and `demo` have in common: a stack for as long as some work lasts, whatever ends it.

The first SIGINT, SIGTERM or SIGHUP raises Interrupted in the work; from then on, and while stopping anyway, another
one only makes the stopping faster. It can never break off the cleaning up.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from deploy.cli.screen import Screen
from deploy.local import Commands, Options, Stack

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Work = Callable[[Stack, Screen], int]


class Interrupted(BaseException):
    """Somebody asked this process to end. Like KeyboardInterrupt, not for `except Exception`."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_status = 128 + signum


class Interrupts:
    """Turns signals into one exception, then into calls of `hurry`."""

    def __init__(self, hurry: Callable[[], None]) -> None:
        self._hurry = hurry
        self._may_raise = True

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Take the signals over, and give them back at the end."""
        before = {signum: signal.signal(signum, self._on_signal) for signum in SIGNALS}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    def only_hurry(self) -> None:
        """From now on no signal raises."""
        self._may_raise = False

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self._may_raise:
            self._may_raise = False
            raise Interrupted(signum)
        self._hurry()


def with_stack(options: Options, work: Work, commands: Commands | None = None) -> int:
    """Start a stack, work with it, stop it.

    Args:
        options: how to start.
        work: its result is the exit status.
        commands: exchanged by tests.

    Returns:
        The exit status of the work, or 128 + N after signal N; 1 if something had to be killed at the end.

    Raises:
        Problem: the stack did not start, or the work failed.
    """
    screen = Screen(sys.stdout)
    stack = Stack(options, screen.progress, commands)
    interrupts = Interrupts(stack.hurry)
    with interrupts.handled():
        try:
            screen.say(f"starting {options.replicas} engine(s) and the router; logs in {stack.folder}")
            stack.start()
            status = work(stack, screen)
        except Interrupted as interrupted:
            status = interrupted.exit_status
        finally:
            try:
                interrupts.only_hurry()
            finally:  # a signal may have raised just before that call took effect
                screen.passing("stopping …")
                stack.stop()
    if stack.left_behind:
        screen.say(f"stopped; {len(stack.left_behind)} process(es) had to be killed; nothing is left running")
        return status or 1
    screen.say("stopped; nothing is left running")
    return status
