"""What is asked of the list of models, checked by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.errors import ApiError
from router.protocol.model_query import ANY, ModelQuery, Range, Sort, outputs_of, parse_query


def test_nothing_said_is_all_that_answer_in_text() -> None:
    assert ModelQuery() == parse_query({})
    empty = dict.fromkeys(
        "offset limit category supported_parameters output_modalities input_modalities sort q context min_price zdr "
        "distillable use_rss arch model_authors providers region min_age_days max_tool_success_rate".split(),
        "",
    )
    assert ModelQuery() == parse_query(empty)
    assert ModelQuery() == parse_query({"colour": "blue"})


def test_everything_is_read() -> None:
    given = {
        "offset": "5", "limit": "10", "category": "marketing/seo", "supported_parameters": "tools, seed,",
        "output_modalities": "text,embeddings", "input_modalities": "image", "sort": "newest", "q": " GPT  four ",
        "context": "1000", "min_price": "0.5", "max_price": "2", "min_output_price": "1", "max_output_price": "1",
        "arch": "Mistral", "model_authors": "M,n", "providers": "Local,far", "distillable": "false", "zdr": "true",
        "region": "eu", "min_age_days": "1", "max_age_days": "9", "min_tool_success_rate": "0.9", "use_rss": "true",
    }  # fmt: skip
    assert parse_query(given) == ModelQuery(
        offset=5,
        limit=10,
        category="marketing/seo",
        parameters=frozenset({"tools", "seed"}),
        outputs=frozenset({"text", "embeddings"}),
        inputs=frozenset({"image"}),
        sort=Sort.NEWEST,
        words=("gpt", "four"),
        context=1_000,
        price=Range(0.5, 2.0),
        output_price=Range(1.0, 1.0),
        arch="mistral",
        authors=frozenset({"m", "n"}),
        providers=("Local", "far"),
        distillable=False,
        zdr=True,
        region="eu",
        age_days=Range(1.0, 9.0),
        tool_success=Range(0.9, None),
        is_rss=True,
    )


def test_a_page_has_a_size_as_soon_as_one_is_spoken_of() -> None:
    assert (0, 7) == (parse_query({"limit": "7"}).offset, parse_query({"limit": "7"}).limit)
    assert (7, 500) == (parse_query({"offset": "7"}).offset, parse_query({"offset": "7"}).limit)


@pytest.mark.parametrize(
    ("said", "outputs"), [("", {"text"}), ("all", None), ("text,all", None), ("rerank", {"rerank"})]
)
def test_outputs_are_text_unless_something_is_said(said: str, outputs: set[str] | None) -> None:
    assert outputs == outputs_of({"output_modalities": said})


@pytest.mark.parametrize("name", ["min_intelligence_index", "max_coding_index", "min_agentic_index"])
def test_a_benchmarks_range_is_noted(name: str) -> None:
    assert parse_query({name: "1"}).has_benchmark


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offset", "-1"), ("offset", "x"), ("offset", "9" * 30), ("limit", "0"), ("limit", "1001"), ("limit", "٣"),
        ("category", "sports"), ("sort", "best"), ("q", "q" * 257), ("context", "0"), ("context", "1.5"),
        ("min_price", "-1"), ("max_price", "nan"), ("max_price", "inf"), ("min_output_price", "cheap"),
        ("max_output_price", "1" * 25), ("distillable", "maybe"), ("zdr", "1"), ("region", "mars"),
        ("use_rss", "yes"), ("min_age_days", "-2"), ("max_tool_success_rate", "1.5"), ("min_coding_index", "x"),
        ("supported_parameters", ",".join(map(str, range(65)))), ("model_authors", "a" * 20_000),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_query({name: value})
    assert (400, name) == (caught.value.status, caught.value.field)


def test_bounds_must_be_in_order() -> None:
    with pytest.raises(ApiError) as caught:
        parse_query({"min_price": "2", "max_price": "1"})
    assert "min_price" == caught.value.field


def test_of_what_is_not_known_only_the_open_range_holds() -> None:
    assert (True, False) == (ANY.holds(None), Range(least=1).holds(None))
    assert [False, True, True, False] == [Range(1, 2).holds(value) for value in (0.5, 1.0, 2.0, 2.5)]
    assert (False, True) == (ANY.is_given, Range(most=1).is_given)


@given(st.dictionaries(st.sampled_from(["offset", "limit", "q", "min_price", "sort", "zdr", "providers"]), st.text()))
def test_any_query_is_read_or_refused(given: dict[str, str]) -> None:
    refused = None
    try:
        parse_query(given)
    except ApiError as error:
        refused = error.field or ""
    assert refused is None or refused in given
