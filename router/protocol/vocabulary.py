"""A tokenizer's vocabulary, read one way only: from token ids back to the bytes they stand for.

That way needs no tokenizer: an engine says which ids it holds in its cache, and their bytes, joined, are the rendered
conversation. The file is Mistral's tekken.json: the first ids are special tokens, whose bytes are their names, and
the rest are pieces of text in the order of their rank. Special tokens the file does not name get the name that
mistral-common gives them.
"""

from collections.abc import Iterable

import msgspec

# What a file of version 7 and before means when it names none, in order of their ids (mistral-common's table).
_DEFAULT_SPECIAL = (
    "<unk> <s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS] [/TOOL_RESULTS] [TOOL_CALLS]"
    " [IMG] <pad> [IMG_BREAK] [IMG_END] [PREFIX] [MIDDLE] [SUFFIX] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [TOOL_CONTENT]"
).split()
_IMAGE, _IMAGE_BREAK, _IMAGE_END = "[IMG]", "[IMG_BREAK]", "[IMG_END]"


class Vocabulary:
    """The bytes of every token id, and which ids stand for parts of an image.

    131,072 ids take about 7 MB.
    """

    __slots__ = ("_pieces", "image_end", "image_ids")

    def __init__(self, special: Iterable[str], pieces: Iterable[bytes]) -> None:
        """`special`: names of the first ids; `pieces`: bytes of those after them. Both in order of their ids.

        Raises:
            ValueError: no special token ends an image.
        """
        names = list(special)
        if _IMAGE_END not in names:
            raise ValueError(f"no special token is called {_IMAGE_END}")
        self._pieces = [name.encode() for name in names]
        self._pieces.extend(pieces)
        self.image_end = names.index(_IMAGE_END)  # the last token of every image
        self.image_ids = frozenset(
            each for each, name in enumerate(names) if name in (_IMAGE, _IMAGE_BREAK, _IMAGE_END)
        )  # a run of these is one image, however many tokens it has

    def __repr__(self) -> str:
        return f"Vocabulary({len(self._pieces)} tokens)"

    def __len__(self) -> int:
        return len(self._pieces)

    def bytes_of(self, token_ids: Iterable[int]) -> bytes:
        """The bytes these ids (not negative) stand for, joined.

        Raises:
            IndexError: an id is not in the vocabulary.
        """
        return b"".join(map(self._pieces.__getitem__, token_ids))


class _Token(msgspec.Struct, frozen=True):
    token_bytes: bytes  # base64 in the file


class _Special(msgspec.Struct, frozen=True):
    rank: int
    token_str: str


class _Config(msgspec.Struct, frozen=True):
    default_vocab_size: int
    default_num_special_tokens: int


class _File(msgspec.Struct, frozen=True):
    config: _Config
    vocab: list[_Token]
    special_tokens: list[_Special] | None = None


def parse_vocabulary(tekken: bytes) -> Vocabulary:
    """Read the content of a tekken.json. Takes about 50 ms for 131,072 tokens (19 MB).

    Raises:
        ValueError: it is not one.
    """
    try:
        file = msgspec.json.decode(tekken, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a tekken vocabulary: {error}") from None
    size, count = file.config.default_vocab_size, file.config.default_num_special_tokens
    if file.special_tokens is None:
        named = dict(enumerate(_DEFAULT_SPECIAL))
    else:
        named = {each.rank: each.token_str for each in file.special_tokens}
    if not 0 <= count <= size <= count + len(file.vocab):
        raise ValueError(f"not a tekken vocabulary: {len(file.vocab)} pieces and {count} special tokens for {size} ids")
    return Vocabulary(
        (named.get(each, f"<SPECIAL_{each}>") for each in range(count)),
        (each.token_bytes for each in file.vocab[: size - count]),
    )
