"""Answers that ought to be JSON."""

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.plugins.healing import MOST_CHARS, heal, heal_answer
from router.protocol.plugins.healing_skin import Healing, healing_of

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NEARLY = st.text(alphabet="{}[]\",:'\\ \n`/*#abtrueN01.-=“”é", max_size=60)
ARRAY = {"type": "array"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Sure!\n```\n{"a": 1}\n```\nHope this helps {smile}', {"a": 1}),
        ('Use [x] and so on: {"a": 1}. Good?', {"a": 1}),
        ('Look ] and then ```json\n{"a": "b"}```', {"a": "b"}),
        ('{"a": 1, "b": [1, 2, ], }', {"a": 1, "b": [1, 2]}),
        ('{"a": 1,, "b": 2}', {"a": 1, "b": 2}),
        ('{"a": "x" "b": 2}', {"a": "x", "b": 2}),
        ('{"a": "x"\n "b": 2}', {"a": "x", "b": 2}),
        ("{a: 1, b_c: 'it's fine', 'd': True, e: None, f: undefined}",
         {"a": 1, "b_c": "it's fine", "d": True, "e": None, "f": None}),
        ('{"a": "he said "hi" to me", "b": 2}', {"a": 'he said "hi" to me', "b": 2}),
        ('{"a": "Hello "World", she said", "b": 1}', {"a": 'Hello "World", she said', "b": 1}),
        ('{"x": "a", b", "c": 1}', {"x": 'a", b', "c": 1}),
        ('{“a”: “b ”, ‘c’: ‘d’, `e`: `f`}', {"a": "b ", "c": "d", "e": "f"}),
        ('{"a": [1, 2, {"b": 3}', {"a": [1, 2, {"b": 3}]}),
        ('{"a": 1]}', {"a": 1}),
        ('{"a": [{"b": 1], "c": 2}', {"a": [{"b": 1}], "c": 2}),
        ('{"a": "cut', {"a": "cut"}),
        ('{"a": "cut "it" out', {"a": 'cut "it" out'}),
        ('{"a": "cut\\', {"a": "cut"}),
        ('{"a": {', {"a": {}}),
        ('{"a":}', {"a": None}),
        ('{"a":', {"a": None}),
        ('{"a":,"b":1}', {"a": None, "b": 1}),
        ('{"a"}', {"a": None}),
        ('{"a", "b": 1}', {"a\", \"b": 1}),
        ('{a, b: 1}', {"a": None, "b": 1}),
        ('{"a" 1}', {"a": 1}),
        ('{"a" {"b": 1}}', {"a": {"b": 1}}),
        ('{"a" = 1, "b" => 2, c = 3}', {"a": 1, "b": 2, "c": 3}),
        ('{= "a": 1}', {"a": 1}),
        ('{"a":: 1 : }', {"a": 1}),
        ('{{"a": 1} {', {"a": 1}),
        ('{"a": 1 {"b": 2}}', {"a": 1, "b": 2}),
        ('{"a": [1 {"b": 2} [3]]}', {"a": [1, {"b": 2}, [3]]}),
        ('{"a": 1 // one\n, /* two */ "b": 2 # three\n}', {"a": 1, "b": 2}),
        ('{"a": yes # or no\n, "b": 2 /* unclosed', {"a": "yes", "b": 2}),
        ('{"url": http://x.y/z, "at": 12:30}', {"url": "http://x.y/z", "at": "12:30"}),
        ('{"a": +1, "b": .5, "c": 1., "d": 007, "e": -00.50e+3, "f": 1e5, "g": -.5, "h": 0x1F, "i": -}',
         {"a": 1, "b": 0.5, "c": 1.0, "d": 7, "e": -500.0, "f": 1e5, "g": -0.5, "h": "0x1F", "i": "-"}),
        ('{"a": "two\nlines\tand a tab\x01"}', {"a": "two\nlines\tand a tab\x01"}),
        ('{"a": "C:\\path\\new\\u12\\\'"}', {"a": "C:\\path\new\\u12'"}),
        ('{"a": "over\\\nlines"}', {"a": "over\nlines"}),
        ('{"a": \\"b\\"}', {"a": '"b"'}),
    ],
)  # fmt: skip
def test_what_is_nearly_json_becomes_what_was_meant(written: str, meant: Any) -> None:
    healed = heal(written)
    assert healed is not None
    assert meant == json.loads(healed)


def test_arrays_are_mended_where_the_schema_asks_for_one() -> None:
    assert "[1,2]" == heal("The numbers: [1, 2", ARRAY)
    assert '["x","y",true]' == heal('["x"\n"y", True]', ARRAY)
    assert '[{"a":1},{"a":2}]' == heal('[{"a": 1}, {"a": 2}', {"type": ["array", "object"]})
    assert '[{"a":1}]' == heal('[{"a": 1}', {"type": "tuple"})


def test_a_part_of_what_was_written_is_not_taken_for_the_whole() -> None:
    assert heal('[{"a": 1}, {"a": 2}') is None


def test_an_object_without_what_the_schema_requires_is_not_what_was_meant() -> None:
    schema = {"type": "object", "required": ["a", "b"]}
    assert heal('{"a": 1,}', schema) is None
    assert '{"a":1,"b":2}' == heal('{"a": 1, b: 2}', schema)
    assert '{"a":1}' == heal('{"a": 1,}', {"required": "a"})


@pytest.mark.parametrize(
    "text", ["", "no brackets here", "]}", '{"a": "\\ud800",}', "[" * 200, "[{a:" * 200, "null and"]
)
def test_what_cannot_be_told_stays(text: str) -> None:
    assert heal(text) is None


def test_what_is_longer_than_an_answer_can_be_is_not_looked_at() -> None:
    assert heal('{"a": "' + "x" * MOST_CHARS) is None


@given(value=ANYTHING, indent=st.sampled_from([None, 2]), is_ascii=st.booleans())
def test_json_is_never_touched(value: Any, indent: int | None, is_ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    healed = heal(text)
    assert healed == text or "\\ud" in text  # half characters are JSON to Python alone


@given(text=NEARLY)
def test_what_was_mended_is_json_and_stays_as_it_is(text: str) -> None:
    for schema in (None, ARRAY):
        healed = heal(text, schema)
        if healed is not None:
            assert isinstance(json.loads(healed), dict | list) or healed == text
            assert healed == heal(healed, schema)


@given(value=st.dictionaries(st.text(), ANYTHING), prose=st.sampled_from(["", "Here: ", "```json\n"]))
def test_what_is_right_in_it_stays_as_it_is(value: dict[str, Any], prose: str) -> None:
    """The closing bracket is missing, and a comma too many is there; texts hold whatever they may."""
    text = json.dumps(value)
    if "\\ud" not in text:
        healed = heal(prose + text.removesuffix("}") + ",")
        assert healed is not None
        assert value == json.loads(healed)


ADVERSARIAL: list[Callable[[int], str]] = [
    lambda n: '{"' * (n // 2),
    lambda n: "{" + '"' * n,
    lambda n: "{" + '" ' * (n // 2),
    lambda n: '{"a":"' + '" ' * (n // 2),
    lambda n: '{"a":"' + '"' + " " * n,
    lambda n: '["a"' + "\n" * n,
    lambda n: '["a' + '"\n' * (n // 2),
    lambda n: '["' + '",' * (n // 2),
    lambda n: '{"a":"' + '",' * (n // 2),
    lambda n: '{"a":"' + ('"' + "a" * 150) * (n // 151),
    lambda n: "[" * 100 + "}" * n,
    lambda n: "[" + "," * n,
    lambda n: "{" + "/*" * (n // 2),
    lambda n: "{a " * (n // 3),
    lambda n: "[a #" * (n // 4),
    lambda n: '{"' + "\\" * n,
    lambda n: "[" + "0" * n,
    lambda n: "```" * (n // 3) + "{",
    lambda n: "{=" + "=" * n,
]


@pytest.mark.parametrize("number", range(len(ADVERSARIAL)))
def test_work_grows_no_faster_than_the_text(number: int) -> None:
    """Counted in lines of Python that run; what a pattern does within one is bounded by its possessive quantifiers."""

    def lines(text: str) -> int:
        count = 0

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal count
            count += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            heal(text)
        finally:
            sys.settrace(before)
        return count

    short, long = (lines(ADVERSARIAL[number](size)) for size in (2_000, 8_000))
    assert long < 5 * short + 500


def answer(*contents: str | None, finish_reason: str = "stop", **more: Any) -> bytes:
    choices = [
        {
            "index": index,
            "finish_reason": finish_reason,
            "message": {"role": "assistant", "content": content, "x": 1.50},
        }
        for index, content in enumerate(contents)
    ]
    return json.dumps({"id": "gen-1", "choices": choices, **more}).encode()


def contents(body: bytes) -> list[Any]:
    return [choice["message"]["content"] for choice in json.loads(body)["choices"]]


def test_each_choice_of_an_answer_is_mended_and_nothing_else() -> None:
    body = answer('{"a": 1,}', None, '{"b": 2}', "no")
    healed = heal_answer(body)
    assert ['{"a":1}', None, '{"b": 2}', "no"] == contents(healed)
    assert json.loads(body)["choices"][1:] == json.loads(healed)["choices"][1:]


def test_an_answer_that_needs_nothing_is_the_same_bytes() -> None:
    for body in (answer('{"a": 1}'), answer(None), answer("no"), b'{"choices":[{"text":"{a:1}"}]}'):
        assert body is heal_answer(body)


def test_an_answer_that_ran_into_its_length_is_not_mended() -> None:
    body = answer('{"a": [1', finish_reason="length")
    assert body is heal_answer(body)


def test_the_pipeline_tells_of_it() -> None:
    healed = json.loads(
        heal_answer(answer("{a: 1}", openrouter_metadata={"requested": "m", "pipeline": [{"name": "x"}]}))
    )
    metadata = healed["openrouter_metadata"]
    assert ["x", "response-healing"] == [step["name"] for step in metadata["pipeline"]]
    assert "m" == metadata["requested"]
    assert "mended the JSON of 1 of 1 answers" == metadata["pipeline"][1]["summary"]


class Shouting:
    """Another API's."""

    def feed(self, data: bytes) -> bytes:
        return data.upper()

    def whole(self, body: bytes) -> bytes:
        return body.upper()


def test_a_skin_mends_whole_answers_before_another_gets_them() -> None:
    body = answer("{a: 1}")
    assert heal_answer(body) == Healing(None).whole(body)
    assert heal_answer(body).upper() == Healing(None, Shouting()).whole(body)


def test_streams_are_not_mended() -> None:
    assert b"data: {a" == Healing(None).feed(b"data: {a")
    assert b"DATA: {A" == Healing(None, Shouting()).feed(b"data: {a")


def test_only_who_asks_for_json_gets_it_mended() -> None:
    array = {"type": "json_schema", "json_schema": {"name": "n", "schema": ARRAY}}
    assert [None] * 4 == [healing_of(each) for each in (None, {}, {"type": "text"}, {"type": "grammar"})]
    for asked, text, meant in (
        ({"type": "json_object"}, "{a: 1}", '{"a":1}'),
        (array, "[1", "[1]"),
        ({"type": "json_schema", "json_schema": {"schema": 1}}, "{a: 1}", '{"a":1}'),
        ({"type": "json_schema", "json_schema": 1}, "{a: 1}", '{"a":1}'),
    ):
        healing = healing_of(asked)
        assert healing is not None
        assert [meant] == contents(healing.whole(answer(text)))
