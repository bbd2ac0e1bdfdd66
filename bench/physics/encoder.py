"""Which images an engine has to encode: it keeps the embeddings of the latest ones, by the image's hash."""

from collections import OrderedDict


class EncoderCache:
    """Least recently used first; bounded in tokens, as vLLM's encoder cache is."""

    def __init__(self, tokens: int) -> None:
        self._room = tokens
        self._held: OrderedDict[int, int] = OrderedDict()  # image's hash → its tokens

    def must_encode(self, key: int, tokens: int) -> bool:
        """Is the image not there? It is afterwards."""
        if key in self._held:
            self._held.move_to_end(key)
            return False
        self._held[key] = tokens
        self._room -= tokens
        while self._room < 0 and len(self._held) > 1:
            _, freed = self._held.popitem(last=False)
            self._room += freed
        return True
