"""Cuts Mistral's own Tekken vocabulary down to the words of the pocket model's small world.

The file keeps Tekken's form (special tokens, bytes, merges by rank), so `mistral-common` and vLLM load it unchanged:
the 1,000 special slots, the 256 bytes, the first merges of the full vocabulary (so that any text stays encodable at
a fair rate), and every token that the full tokenizer, or the cut one, needs for the words the generator uses.
Run as `python -m serving.pocket.tokenizer OUT` (OUT a folder).
"""

from __future__ import annotations

import base64
import json
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import mistral_common
import regex

from serving.pocket import mix
from serving.pocket.chat import Chat

FULL = Path(mistral_common.__file__).parent / "data" / "tekken_240911.json"
SPECIAL_SLOTS = 1000
FIRST_MERGES = 400
"""How many of the full vocabulary's first merges are kept whatever the words are."""
_SAMPLES_PER_GROUP = 3000
_SMALLEST_USE = 3
"""A piece seen fewer times than this in the generator's texts gets no token of its own."""

SPECIAL_TOKENS = (
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]",
    "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
)  # fmt: skip


def cut(texts: list[str], full: dict[str, Any]) -> dict[str, Any]:
    """The cut tokenizer as the value of a `tekken.json`, made to hold the words of `texts`."""
    ranks = {base64.b64decode(entry["token_bytes"]): entry["rank"] for entry in full["vocab"]}
    by_rank = {rank: token for token, rank in ranks.items()}
    pattern = regex.compile(full["config"]["pattern"])
    pieces = Counter(piece for text in texts for piece in pattern.findall(text))
    kept = {by_rank[rank] for rank in range(256 + FIRST_MERGES)}
    for piece, uses in pieces.items():
        if uses >= _SMALLEST_USE:
            kept |= _tokens_for(piece.encode("utf-8"), ranks)
    ordered = sorted(kept, key=lambda token: ranks[token])
    vocab = [
        {
            "rank": rank,
            "token_bytes": base64.b64encode(token).decode("ascii"),
            "token_str": _text_or_none(token),
        }
        for rank, token in enumerate(ordered)
    ]
    size = SPECIAL_SLOTS + len(vocab)
    return {
        "config": {
            "pattern": full["config"]["pattern"],
            "num_vocab_tokens": len(vocab),
            "default_vocab_size": size,
            "default_num_special_tokens": SPECIAL_SLOTS,
            "version": "v7",
        },
        "vocab": vocab,
        "special_tokens": [
            {"rank": rank, "token_str": token, "is_control": True} for rank, token in enumerate(SPECIAL_TOKENS)
        ],
        "image": {"image_patch_size": 14, "max_image_size": 1540, "spatial_merge_size": 2},
        "version": 1,
        "type": "Tekken",
    }


def _tokens_for(piece: bytes, ranks: dict[bytes, int]) -> set[bytes]:
    """The piece itself if it is a token (BPE looks whole pieces up first), else every merge on the way to its parts."""
    if piece in ranks:
        return {piece}
    parts = [bytes([byte]) for byte in piece]
    made: set[bytes] = set()
    while True:
        pairs = [(ranks[a + b], at) for at, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not pairs:
            return made
        _, at = min(pairs)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
        made.add(parts[at])


def _text_or_none(token: bytes) -> str | None:
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return None


def texts_of(chat: Chat) -> list[str]:
    """Every text of a conversation as it reaches the tokenizer."""
    texts = [message.text for message in chat.messages if message.text]
    for message in chat.messages:
        texts.extend(json.dumps([{"name": c.name, "arguments": c.arguments, "id": c.id}]) for c in message.calls)
    if chat.tools:
        texts.append(json.dumps(list(chat.tools), ensure_ascii=False))
    return texts


def generator_texts(seed: int) -> list[str]:
    """The texts of a few thousand conversations of each group."""
    rng = Random(seed)
    return [
        text
        for group in mix.GROUPS
        if group in ("picture", "pair", "text", "tools", "long")  # the others have no words of their own
        for _ in range(_SAMPLES_PER_GROUP)
        for text in texts_of(mix.sample(group, rng, (84, 84)))
    ]


def main(out: Path) -> None:
    full = json.loads(FULL.read_text(encoding="utf-8"))
    tokenizer = cut(generator_texts(seed=1), full)
    out.mkdir(parents=True, exist_ok=True)
    (out / "tekken.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    print(f"{out / 'tekken.json'}: {len(tokenizer['vocab'])} tokens and {SPECIAL_SLOTS} special slots")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
