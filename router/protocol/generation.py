"""Names of generations: `gen-<unix seconds>-<20 letters and digits>`, as OpenRouter forms them."""

import random
from base64 import b64encode

_BYTES = 15  # 120 bits, which are 20 characters: two never meet
_LETTERS = bytes.maketrans(b"+/", b"Zz")  # the two characters of base64 that are no letter or digit


def generation_id(now_unix: float, rng: random.Random) -> str:
    """A fresh id. `now_unix` is in seconds since 1970; give a `random.SystemRandom` if ids must not be guessable."""
    name = b64encode(rng.randbytes(_BYTES)).translate(_LETTERS).decode()
    return f"gen-{int(now_unix)}-{name}"
