"""The middle of a text left out, as raw JSON: what stands at the beginning and at the end says most."""

import msgspec

from router.protocol.body import is_placeholder
from router.protocol.wire import read

GAP = "\n[…]\n"
GAP_BYTES = len(GAP.encode())
LEAST_BYTES = 256  # of a text that was cut; what is no longer is left alone
_string = msgspec.json.Decoder(str)
_parts = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def _cut_string(raw: bytes, excess: int) -> bytes:
    """A JSON string with so many bytes of text fewer: half is kept from its beginning and half from its end."""
    text: bytes = read(_string, raw).encode()
    keep = max(LEAST_BYTES, len(text) - excess)
    if len(text) <= keep or is_placeholder(raw):
        return raw
    half = (keep - GAP_BYTES) // 2
    # a character that is cut through goes as a whole
    return msgspec.json.encode(text[:half].decode(errors="ignore") + GAP + text[-half:].decode(errors="ignore"))


def cut_content(content: bytes, excess: int) -> bytes:
    """A message's content with `excess` bytes of text fewer, if so many can go: of parts the longest text is cut."""
    if content[:1] == b'"':
        return _cut_string(content, excess)
    parts: list[dict[str, msgspec.Raw]] = read(_parts, content)
    texts = {index: bytes(part["text"]) for index, part in enumerate(parts) if "text" in part}
    if not texts:
        return content
    longest = max(texts, key=lambda index: len(texts[index]))
    parts[longest]["text"] = msgspec.Raw(_cut_string(texts[longest], excess))
    return msgspec.json.encode(parts)
