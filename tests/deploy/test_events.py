from pathlib import Path

from deploy.events import EventFile


def test_events_come_in_order_each_once(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text('{"event": "cluster", "dashboard": "http://x"}\n{"event": "ready"}\n')
    events = EventFile(path)
    assert {"event": "cluster", "dashboard": "http://x"} == events.next()
    assert {"event": "ready"} == events.next()
    assert events.next() is None


def test_what_libraries_print_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text('INFO loading\n{not json\n{"level": "info"}\n{"event": "ready"}\n')
    assert {"event": "ready"} == EventFile(path).next()


def test_a_line_that_is_still_being_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text('{"event": "rea')
    events = EventFile(path)
    assert events.next() is None
    with path.open("a") as file:
        file.write('dy"}\n')
    assert {"event": "ready"} == events.next()
