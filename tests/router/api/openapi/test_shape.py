from router.api.openapi.shape import nullable, record, ref, with_more


def test_a_record_is_an_object_with_its_fields() -> None:
    expected = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "limit": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
        "required": ["id", "limit"],
    }
    assert expected == record("id:string limit:number?")


def test_a_field_with_a_dash_may_be_missing() -> None:
    assert ["id"] == record("id:string -name:string")["required"]
    assert {"id", "name"} == set(record("id:string -name:string")["properties"])  # type: ignore[call-overload]


def test_brackets_make_lists_capitals_refer_and_bars_are_choices() -> None:
    fields = record("keys:Key[] tier:free|paid made:time more:any")["properties"]
    assert {
        "keys": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}},
        "tier": {"enum": ["free", "paid"]},
        "made": {"type": "string", "format": "date-time"},
        "more": {},
    } == fields


def test_a_list_may_be_null_as_a_whole() -> None:
    (field,) = record("names:string[]?")["properties"].values()  # type: ignore[attr-defined]
    assert nullable({"type": "array", "items": {"type": "string"}}) == field


def test_fields_with_schemas_of_their_own_are_required_and_may_be_added_later() -> None:
    schema = record("", data=ref("Key"))
    assert ["data"] == schema["required"]
    more = with_more(schema, key={"type": "string"})
    assert (["data"], {"data", "key"}) == (more["required"], set(more["properties"]))  # type: ignore[call-overload]
