"""What kind of text a prompt is, as far as its bytes per token depend on it.

The class is told from a sample of the bytes, spread over the text, in some microseconds: exactness buys nothing, since
the figure of each class is learned. With the bytes that a token of Tekken has in texts of the class:

    prose      4.5 to 4.8   nearly all ASCII, few symbols
    code       2.0 to 4.4   nearly all ASCII, many symbols and digits: programs, JSON, markup, tables
    mixed      4.3 to 4.6   Latin letters with accents, typographic signs, some other script
    nonlatin   3.3 to 8.1   Cyrillic, Greek, Arabic, Devanagari, Chinese, Japanese, Korean, …
"""

from typing import Literal

ContentClass = Literal["prose", "code", "mixed", "nonlatin"]

_SAMPLE = 4_096  # bytes looked at, less than twice as many
_FEW = 0.02  # share of bytes beyond ASCII that still is ASCII text: typographic quotes, a name
_CODE = 0.08  # share of symbols: prose has 0.03 to 0.07, programs 0.08 to 0.15, JSON up to 0.5
_OTHER_SCRIPT = 0.1  # share of letters' first bytes that are not Latin: Chinese has 0.33, two-byte letters up to 0.65
# Without []<>/_ of control tokens' names, of which short prompts are full.
_NOT_SYMBOLS = bytes(set(range(256)) - set(rb"""{}()=:;,.\|&*+-!?$#@~^`%'"0123456789"""))
_ASCII = bytes(range(128))
# First bytes of UTF-8 sequences from Greek on (U+0370), without E2: typographic signs, arrows, currencies.
_NOT_OTHER_SCRIPT = bytes(set(range(256)) - set(range(0xCD, 0xF5)) | {0xE2})


def classify(text: bytes) -> ContentClass:
    """The class of a text in UTF-8."""
    sample = text if len(text) <= _SAMPLE else text[:: len(text) // _SAMPLE]
    size = len(sample) or 1
    if not sample.isascii():
        beyond = sample.translate(None, _ASCII)
        if len(beyond) >= _FEW * size:
            return "nonlatin" if len(beyond.translate(None, _NOT_OTHER_SCRIPT)) >= _OTHER_SCRIPT * size else "mixed"
    return "code" if len(sample.translate(None, _NOT_SYMBOLS)) >= _CODE * size else "prose"
