"""Ids of tool calls in the form that Mistral's tokenizers insist on: nine letters or digits.

Callers bring ids of any form in their history (OpenAI's are `call_` and 24 characters). vLLM would cut them to their
last nine characters, which may collide or be illegal. Here an id maps to a hash of itself, always the same, so that the
prompt of the next turn begins with the same tokens; an id that already fits stays.
"""

import hashlib
import re
import string

_FITS = re.compile(r"[a-zA-Z0-9]{9}")
_ALPHABET = string.digits + string.ascii_letters
_LENGTH = 9


class ToolIds:
    """The ids of one conversation, there and back."""

    def __init__(self) -> None:
        self._to_engine: dict[str, str] = {}
        self._to_client: dict[str, str] = {}

    def to_engine(self, client_id: str) -> str:
        """The id that the engine sees; two ids of a conversation never meet."""
        known = self._to_engine.get(client_id)
        if known is not None:
            return known
        engine_id = client_id if _FITS.fullmatch(client_id) else _hashed(client_id)
        while engine_id in self._to_client:
            engine_id = _hashed(engine_id + client_id)
        self._to_engine[client_id] = engine_id
        self._to_client[engine_id] = client_id
        return engine_id

    def restore(self, engine_id: str) -> str:
        """The caller's own id; ids that the engine has made stay."""
        return self._to_client.get(engine_id, engine_id)


def _hashed(text: str) -> str:
    number = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)
