"""What is not in the database yet can be asked for, as far as there is room."""

import pytest

from router.protocol.entry import Opened
from router.store.recent import Recent, RecentSettings
from tests.router.accounts import Journal
from tests.router.store.support import entry

OPENED = Opened(id="gen-1", created=1.0, router="r", key="k", workspace="w", kind="chat")


def test_a_row_is_here_from_its_end_until_it_is_written() -> None:
    journal = Journal()
    recent = Recent(journal, RecentSettings())
    recent.opened(OPENED)
    assert recent.find("gen-1") is None
    recent.closed(entry(1))
    assert entry(1) == recent.find("gen-1")
    recent.written([entry(1), entry(2)])
    assert (None, 0) == (recent.find("gen-1"), len(recent))
    assert ([OPENED], [entry(1)]) == (journal.begun, journal.ended)


def test_the_oldest_goes_when_there_are_too_many() -> None:
    recent = Recent(None, RecentSettings(rows=2))
    for number in range(5):
        recent.closed(entry(number))
    assert [None, None, None, entry(3), entry(4)] == [recent.find(f"gen-{number}") for number in range(5)]


def test_there_is_room_where_the_journal_has_some() -> None:
    journal = Journal()
    recent = Recent(journal, RecentSettings())
    assert recent.has_room
    journal.has_room = False
    assert not recent.has_room
    alone = Recent(None, RecentSettings())
    alone.opened(OPENED)
    assert alone.has_room


@pytest.mark.parametrize("rows", [0, 1_000_001])
def test_a_number_out_of_range_is_named(rows: int) -> None:
    with pytest.raises(ValueError, match=r"^rows must be"):
        RecentSettings(rows=rows)
