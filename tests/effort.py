"""What a piece of work costs, as far as it is the work's doing.

For guards against work that explodes: their bounds are many times what is usual, and a busy machine, or a collection of
all that other tests left behind, must not look like an explosion.
"""

import gc
import time
from collections.abc import Callable

TRIES = 3


def cpu_s(work: Callable[[], object], tries: int = TRIES) -> float:
    """Seconds of processor time of the best of some tries, without the garbage collector."""
    gc.disable()
    try:
        return min(_once(work) for _ in range(tries))
    finally:
        gc.enable()


def _once(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
