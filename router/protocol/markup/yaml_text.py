"""Keys and strings of YAML, such that readers of 1.1 and of 1.2 read them back as they were.

Strings are always in double quotes, on one line. A key stands without quotes where no version of YAML takes it for
anything but itself: `on`, `y` and `null` are values to some.
"""

import re

from router.protocol.errors import invalid

KEY_CHARS = 1_000  # characters as written; readers look for a key's colon within 1,024
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = frozenset({"y", "yes", "n", "no", "on", "off", "true", "false", "null"})
# Beyond these YAML knows line breaks (U+0085, U+2028, U+2029), a byte order mark, and what is not printable.
_SAFE = "\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_ESCAPED = re.compile(f'["\\\\]|[^ -~{_SAFE}]')
_NAMED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

# One character of a string that the model writes.
CHARACTER = (
    r"[ !#-\[\]-~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r' | "\\" ["\\nrt]'
)  # fmt: skip


def quoted(text: str) -> str:
    """A string as it is written."""
    return f'"{_ESCAPED.sub(lambda found: _escape(found[0]), text)}"'


def key(name: str, path: str) -> str:
    """A key as it is written.

    Raises:
        ApiError: 400, naming `path`: it is too long.
    """
    written = name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS else quoted(name)
    if len(written) > KEY_CHARS:
        raise invalid(path, f"a key has at most {KEY_CHARS} characters as it is written")
    return written


def _escape(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
