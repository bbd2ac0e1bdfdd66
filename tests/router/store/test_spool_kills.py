"""No row is lost or doubled, whenever the process is killed."""

import multiprocessing
from pathlib import Path
from random import Random

from tests.router.store.spool_child import serve
from tests.router.store.spool_support import adopted

KILLS = 60


def test_no_request_is_lost_when_routers_are_killed_again_and_again(tmp_path: Path) -> None:
    context, rng = multiprocessing.get_context("forkserver"), Random(5)
    context.set_forkserver_preload(["tests.router.store.spool_child"])
    for boot in range(KILLS):
        ready = context.Event()
        child = context.Process(target=serve, args=(str(tmp_path), boot, ready), daemon=True)
        child.start()
        assert ready.wait(30)
        child.join(rng.uniform(0.0, 0.08))  # it ends by itself only when it fails
        assert child.exitcode is None
        child.kill()
        child.join()
        child.close()

    statuses: dict[str, str] = {}  # the database keeps the first row of each id
    for line in (tmp_path / "database").read_text().split("\n"):
        if line.endswith((" ok", " interrupted")):  # a batch whose write was cut short was not said done
            statuses.setdefault(*line.split(" "))
    written = len(statuses)
    for row in adopted(tmp_path / "spool"):
        statuses.setdefault(row.id, row.status)

    told = [line.split(" ") for line in (tmp_path / "told").read_text().splitlines()]
    begun, over = ({id_ for what, id_ in told if what == kind} for kind in "oc")
    assert written > 1_000
    assert len(over) > 1_000
    assert {"ok"} == {statuses.get(each) for each in over}
    assert set() == begun - statuses.keys()
    # besides those told there may be, of each router, the one that was being told about
    assert len(statuses.keys() - begun) <= KILLS
    rest = begun - over
    assert sum(statuses[each] == "ok" for each in rest) <= KILLS
    assert [] == list((tmp_path / "spool").iterdir())
