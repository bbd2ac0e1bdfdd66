"""How ordinary chunks of a stream begin and end, so that they can be rewritten without being parsed.

vLLM begins every chunk of a stream with the same bytes, up to `"choices":[`, and ends every ordinary one with the same.
A chunk that begins and ends so, with the inside of one JSON string between, is wholly known: id, model, provider,
`role` and `native_finish_reason` are changed by exchanging its ends. Bytes that look alike within a text cannot
deceive: a quote is escaped there.
"""

from dataclasses import dataclass

from router.protocol.chunk import CHAT, Identity

_CHOICES = b'"choices":['
# What surrounds the text of an ordinary chunk after `"choices":[`, as vLLM 0.29 writes it and as we do.
_CHAT_HEAD = b'{"index":0,"delta":{"content":"'
_CHAT_TAIL = b'"},"logprobs":null,"finish_reason":null,"token_ids":null}]}'
_NEW_CHAT_HEAD = b'{"index":0,"delta":{"role":"assistant","content":"'
_NEW_CHAT_TAIL = b'"},"logprobs":null,"finish_reason":null,"native_finish_reason":null}]}\n\n'
_TEXT_HEAD = b'{"index":0,"text":"'
_TEXT_NULLS = b'"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}'
_TEXT_TAIL = b'","logprobs":null,"finish_reason":null,' + _TEXT_NULLS
_NEW_TEXT_TAIL = b'","logprobs":null,"finish_reason":null,"native_finish_reason":null}]}\n\n'


@dataclass(frozen=True, slots=True)
class Layout:
    """The ends of a stream's ordinary chunks: the engine's, and ours."""

    head: bytes
    tail: bytes
    whole_tail: bytes  # the tail and the empty line after it
    new_head: bytes
    new_tail: bytes

    def exchange(self, event: bytes, *, is_whole: bool) -> bytes | None:
        """An ordinary chunk in our words; None if it is anything else.

        Args:
            event: one event, or bytes that may be one.
            is_whole: the empty line at its end is there.
        """
        tail = self.whole_tail if is_whole else self.tail
        if not (event.startswith(self.head) and event.endswith(tail)):
            return None
        text = event[len(self.head) : -len(tail)]
        if not text or (b'"' in text and not _is_string(text)):
            return None
        return self.new_head + text + self.new_tail


def learn(event: bytes, kind: str, identity: Identity) -> Layout | None:
    """The layout of the stream that `event` is a chunk of; None if it is not vLLM's."""
    before, found, _ = event.partition(_CHOICES)
    if not found or not before.startswith(b'data: {"id":') or b"\n" in before:
        return None
    prefix = identity.chunk(kind, {})[: -len(b"}\n\n")] + b"," + _CHOICES
    is_chat = kind == CHAT
    tail = _CHAT_TAIL if is_chat else _TEXT_TAIL
    return Layout(
        head=before + _CHOICES + (_CHAT_HEAD if is_chat else _TEXT_HEAD),
        tail=tail,
        whole_tail=tail + b"\n\n",
        new_head=prefix + (_NEW_CHAT_HEAD if is_chat else _TEXT_HEAD),
        new_tail=_NEW_CHAT_TAIL if is_chat else _NEW_TEXT_TAIL,
    )


def _is_string(text: bytes) -> bool:
    """Are all quotes in `text` escaped, so that it is the inside of one JSON string?"""
    return b'"' not in text.replace(b"\\\\", b"").replace(b'\\"', b"")
