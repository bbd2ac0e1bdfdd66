"""Formats of strings that a grammar can promise.

No day is given that not every year has: February ends on the 28th. Years have four digits and no leading zero, seconds
are under 60, so that no library refuses one.
"""

from collections.abc import Mapping
from types import MappingProxyType

_DATE = (
    '[1-9] [0-9]{3} "-" (("01" | "03" | "05" | "07" | "08" | "10" | "12") "-" ("0" [1-9] | [1-2] [0-9] | "3" [0-1])'
    ' | ("04" | "06" | "09" | "11") "-" ("0" [1-9] | [1-2] [0-9] | "30")'
    ' | "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))'
)
_HOUR = '("0" [0-9] | "1" [0-9] | "2" [0-3])'
_TIME = f'{_HOUR} ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{{1,6}})? ("Z" | ("+" | "-") {_HOUR} ":" [0-5] [0-9])'
_HEX = "[0-9a-f]"

# RFC 3339 and RFC 4122
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "date": _DATE,
        "time": _TIME,
        "date-time": f'{_DATE} "T" {_TIME}',
        "uuid": f'{_HEX}{{8}} "-" {_HEX}{{4}} "-" {_HEX}{{4}} "-" {_HEX}{{4}} "-" {_HEX}{{12}}',
    }
)
