"""Random schemas of the kind that answers in XML and YAML can be had for."""

from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "name", "on", "null", "item", "answer", "x-1", "größe", "_", "y")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=6)
ODD = st.sampled_from(
    ["", " a ", "<&>", "]]>", "12", "true", "null", "a: b", "- x", "\\", '"', "\n", "\t", "é\u2028", "😀", "#", "\r"]
)

constants = st.one_of(
    TEXTS,
    ODD,
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)
numbers = st.integers(-1_200, 1_200)


@st.composite
def scalars(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["enum", "const", "string", "format", "integer", "number", "boolean", "null"]))
    match kind:
        case "enum":
            return {"enum": draw(st.lists(constants, min_size=1, max_size=4))}
        case "const":
            return {"const": draw(constants)}
        case "string":
            least = draw(st.integers(0, 3))
            return {"type": "string"} | draw(
                st.sampled_from(
                    [{}, {"minLength": least}, {"maxLength": least + 2}, {"minLength": least, "maxLength": least}]
                )
            )
        case "format":
            return {"type": "string", "format": draw(st.sampled_from(["date", "time", "date-time", "uuid"]))}
        case "integer" | "number":
            low, high = sorted((draw(numbers), draw(numbers)))
            bounds: dict[str, Any] = {}
            if draw(st.booleans()):
                bounds[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
            if draw(st.booleans()):
                bounds[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = high + 2
            return {"type": kind, **bounds}
        case _:
            return {"type": kind}


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    @st.composite
    def record(draw: st.DrawFn) -> dict[str, Any]:
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
        properties = {name: draw(inner) for name in names}
        required = [name for name in names if draw(st.booleans())]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    @st.composite
    def array(draw: st.DrawFn) -> dict[str, Any]:
        least = draw(st.integers(0, 2))
        bounds = draw(
            st.sampled_from([{}, {"minItems": least}, {"minItems": least, "maxItems": least + 1}, {"maxItems": 0}])
        )
        return {"type": "array", "items": draw(inner), **bounds}

    choice = st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts})
    several = st.lists(
        st.sampled_from(["string", "integer", "number", "null", "boolean"]), min_size=1, max_size=3, unique=True
    )
    again = st.just({"anyOf": [{"$ref": "#/$defs/whole"}, {"type": "null"}]})
    return st.one_of(record(), array(), choice, several.map(lambda kinds: {"type": kinds}), again)


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """A schema that may refer to itself."""
    whole = draw(st.recursive(scalars(), _containers, max_leaves=8))
    return {"$ref": "#/$defs/whole", "$defs": {"whole": whole}}
