"""What a text column can hold: no NUL, and nothing that is not Unicode.

A person who administers is told so. Of the ledger's rows, which nobody can send again, what cannot be held is replaced:
one row that the database refuses would hold up all behind it.
"""

from collections.abc import Collection, Iterable

import msgspec

from router.protocol.errors import invalid

LONGEST = 512  # characters of one text in a row of the ledger; an index takes no more than 2,700 bytes
LARGEST = 2**53  # of a number in a row of the ledger: 9 million dollars; more is a mistake of whoever counted


def is_storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check(field: str, text: str | None) -> None:
    """
    Raises:
        ApiError: 400, a database cannot hold it.
    """
    if text is not None and not is_storable(text):
        raise invalid(field, "must hold no NUL character and no lone surrogate")


def fitting(text: str, longest: int = LONGEST) -> str:
    """As much of it as can be held."""
    if len(text) > longest:
        text = text[:longest]
    if is_storable(text):
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def fitting_int(number: int) -> int:
    return max(-LARGEST, min(number, LARGEST))


def to_json(texts: Iterable[str] | None) -> str | None:
    """Of a list that may be missing."""
    return None if texts is None else msgspec.json.encode(list(texts)).decode()


def from_json(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else msgspec.json.decode(text, type=tuple[str, ...])


def check_all(field: str, texts: Collection[str] | None) -> None:
    """As `check`, for each."""
    for index, text in enumerate(texts or ()):
        check(f"{field}[{index}]", text)
