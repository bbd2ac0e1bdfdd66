from bench.simulator.wire import DONE, Counts, Writer, framed
from router.protocol.chunk import CHAT, Identity
from router.protocol.layout import learn
from tests.router.protocol import engine_chunks

IDENTITY = Identity("gen-1", "slug", "local", 1)


def writer(*, is_chat: bool = True, prompt_ids: list[int] | None = None) -> Writer:
    answer_id = "chatcmpl-0a1b" if is_chat else "cmpl-0a1b"
    return Writer(is_chat=is_chat, answer_id=answer_id, created=1763800000, model="served", prompt_ids=prompt_ids)


def test_a_chat_is_streamed_in_the_engines_very_bytes() -> None:
    chat = writer()
    assert engine_chunks.role() == chat.first()
    assert engine_chunks.token("word ") == chat.token(b"word ", 7, is_first=True)
    assert engine_chunks.finish("length", text="end ") == chat.last(b"end ", 7, "length", None, is_end=False)
    assert engine_chunks.finish("stop", stop_reason='"x"') == chat.last(b"", 2, "stop", "x", is_end=False)
    assert engine_chunks.usage(5, 3, cached=2, fingerprint="vllm-0.29.0-simulated") == chat.usage(Counts(5, 3, 2))
    assert engine_chunks.DONE == DONE


def test_a_completion_is_streamed_in_the_engines_very_bytes() -> None:
    text = writer(is_chat=False)
    assert text.first() == b""
    assert engine_chunks.text_token("word ") == text.token(b"word ", 7, is_first=True)
    assert engine_chunks.text_finish("length") == text.last(b"", 7, "length", None, is_end=False)


def test_the_router_takes_its_fast_path_with_ordinary_chunks() -> None:
    for is_chat, kind in ((True, CHAT), (False, "text_completion")):
        event = writer(is_chat=is_chat).token(b"word ", 7, is_first=False)
        layout = learn(event, kind, IDENTITY)
        assert layout is not None
        assert layout.exchange(event, is_whole=True) is not None


def test_token_ids_are_there_only_if_they_are_wanted() -> None:
    chat = writer(prompt_ids=[1, 3])
    assert b'"prompt_token_ids":[1,3]' in chat.first()
    assert b'"token_ids":[7]}' in chat.token(b"word ", 7, is_first=False)
    text = writer(is_chat=False, prompt_ids=[1, 3])
    assert b'"prompt_token_ids":[1,3],"token_ids":[7]}' in text.token(b"word ", 7, is_first=True)
    assert b'"prompt_token_ids":null,"token_ids":[8]}' in text.token(b"word ", 8, is_first=False)


def test_each_event_is_one_http_chunk() -> None:
    assert b"6\r\nevent!\r\n" == framed(b"event!")
