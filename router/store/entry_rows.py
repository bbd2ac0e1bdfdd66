"""Entries of the ledger become rows, and rows entries."""

import msgspec
from sqlalchemy import Row

from router.policy.key import Interval
from router.protocol.answered import LONGEST as LONGEST_ANSWERS
from router.protocol.entry import Entry
from router.store.text import LONGEST, fitting, fitting_int

Value = str | float | bool | None

_FIELDS = Entry.__struct_fields__
_LONGEST = {"answers": LONGEST_ANSWERS}  # characters, where it is not the usual


def to_row(entry: Entry) -> dict[str, Value]:
    return msgspec.structs.asdict(entry) | {"day": Interval.DAILY.start(entry.created)}


def from_row(row: Row[tuple[Value, ...]]) -> Entry:
    return msgspec.convert({field: getattr(row, field) for field in _FIELDS}, Entry)


def fit(entry: Entry) -> Entry:
    """As the database can hold it; nearly always it is the same."""
    fields = msgspec.structs.asdict(entry)
    fitted = {
        field: _fitting(value, LONGEST_ANSWERS if field == "answers" else LONGEST) for field, value in fields.items()
    }
    return entry if fields == fitted else msgspec.convert(fitted, Entry)


def _fitting(value: Value, longest: int) -> Value:
    match value:
        case str():
            return fitting(value, longest)
        case bool() | float() | None:
            return value
        case int():
            return fitting_int(value)
