"""Names and texts of XML, such that every parser of any edition of XML 1.0 reads them back as they were."""

import re

from router.protocol.errors import invalid

NAME_CHARS = 128  # characters; each is written twice per element
# Letters that all editions know, of the scripts that names of properties are mostly in.
_LETTERS = (
    "A-Za-z_\xc0-\xd6\xd8-\xf6\xf8-\xff\u0391-\u03a1\u03a3-\u03ce\u0401\u0410-\u044f\u0451\u05d0-\u05ea"
    "\u0621-\u063a\u0641-\u064a\u0905-\u0939\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3"
)
_NAME = re.compile(f"(?![Xx][Mm][Ll])[{_LETTERS}][{_LETTERS}0-9.-]*")
_NO_XML = re.compile("[^\t\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})

# One character of a text that the model writes: no controls, and no carriage return, which parsers change.
CHARACTER = '[\\t\\n -%\'-;=?-~\\u00a0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff] | "&amp;" | "&lt;" | "&gt;"'


def check_name(name: str, path: str) -> str:
    """A name that an element may have.

    Raises:
        ApiError: 400, naming `path`.
    """
    if len(name) > NAME_CHARS:
        raise invalid(path, f"an element's name has at most {NAME_CHARS} characters")
    if not _NAME.fullmatch(name):
        problem = "cannot be an element's name: begin with a letter or _, then letters, digits, _ . -; not with xml"
        raise invalid(path, problem)
    return name


def escape(text: str, path: str) -> str:
    """A text as it stands between tags.

    Raises:
        ApiError: 400, it has a character that XML cannot hold.
    """
    if found := _NO_XML.search(text):
        raise invalid(path, f"has the character U+{ord(found[0]):04X}, which XML cannot hold")
    return text.translate(_MARKUP)
