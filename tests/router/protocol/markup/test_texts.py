"""Names, keys and strings are read back as they were, by every reader at hand."""

from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from router.protocol.errors import ApiError
from router.protocol.markup.spell import spell
from router.protocol.markup.xml_text import check_name, escape
from router.protocol.markup.yaml_text import key, quoted

ANYTHING = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBERS = st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False))


def is_name(text: str) -> bool:
    try:
        check_name(text, "f")
    except ApiError:
        return False
    return True


def read_yaml_1_2(text: str) -> Any:
    ruamel = pytest.importorskip("ruamel.yaml")
    return ruamel.YAML(typ="safe", pure=True).load(text)


def test_every_letter_of_a_name_is_one_to_all_editions_of_xml() -> None:
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000 and is_name(chr(code))]
    assert 30_000 < len(letters)
    names = ["_" + "".join(letters[start : start + 100]) for start in range(0, len(letters), 100)]
    document = "".join(f"<{name}/>" for name in [*names, *letters])
    for parse in (ElementTree.fromstring, etree.fromstring):
        assert [*names, *letters] == [child.tag for child in parse(f"<a>{document}</a>")]


@pytest.mark.parametrize("name", ["a", "_", "a-1.b", "größe", "имя", "名前", "x" * 128])
def test_names_of_elements(name: str) -> None:
    assert name == check_name(name, "f")


@pytest.mark.parametrize("name", ["", "1", "-a", "a b", "a:b", "xml", "XmlThing", "a<", "x" * 129, "a\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_name(name, "f")
    assert "f" == caught.value.field


@given(ANYTHING)
def test_a_text_of_xml_is_read_back(text: str) -> None:
    try:
        written = escape(text, "f")
    except ApiError as error:
        assert "which XML cannot hold" in str(error)  # noqa: PT017  # most texts can be written
        return
    for parse in (ElementTree.fromstring, etree.fromstring):
        assert text == (parse(f"<a>{written}</a>").text or "")


@given(ANYTHING)
def test_a_string_of_yaml_is_read_back(text: str) -> None:
    written = f"- {quoted(text)}\n-   k: {quoted(text)}"
    assert [text, {"k": text}] == yaml.safe_load(written) == read_yaml_1_2(written)


WORDS = ["y", "Y", "yes", "on", "Off", "NO", "null", "Null", "true", "~", "1", "1.5", "1e3", "0x1", ".5", "2020-01-01",
         "1:30", "", " ", "a b", "a: b", "#", "-", "<<", "=", "é", "_", "_1", "a-b", "0o7", "?", ".inf"]  # fmt: skip


@given(st.one_of(ANYTHING, st.sampled_from(WORDS)))
def test_a_key_of_yaml_is_read_back(name: str) -> None:
    written = f'{key(name, "f")}: "v"\nlast: 1'
    expected = {name: "v", "last": 1} if name != "last" else {"last": 1}
    assert expected == yaml.safe_load(written)
    if name != "last":
        assert expected == read_yaml_1_2(written)


@pytest.mark.parametrize(("value", "text"), [(None, "null"), (True, "true"), (1e30, "1.0e+30"), (1.5e-9, "1.5e-09")])
def test_words_and_exponents_are_spelled_for_all_versions(value: Any, text: str) -> None:
    assert text == spell(value)


@given(st.one_of(NUMBERS, st.booleans(), st.none()))
def test_a_constant_of_yaml_is_read_back(value: Any) -> None:
    for read in (yaml.safe_load, read_yaml_1_2):
        assert (value, type(value)) == (read(spell(value)), type(read(spell(value))))
