"""Every object of every shape is one that Kubernetes 1.37 and the pinned CRDs take, field by field."""

from typing import Any

import pytest

from tests.helm import schemas
from tests.helm.shapes import Shape, every_shape


@every_shape
def test_every_object_of_kubernetes_own_is_valid(shape: Shape) -> None:
    assert [] == _faults([thing for thing in shape.objects() if not schemas.is_custom(thing)])


@every_shape
def test_every_custom_object_is_valid(shape: Shape) -> None:
    if not schemas.has_schemas_of_custom_objects():
        pytest.skip("no schemas of custom objects: `make crds` fetches them")
    assert [] == _faults([thing for thing in shape.objects() if schemas.is_custom(thing)])


@every_shape
def test_no_field_is_left_empty_by_a_template(shape: Shape) -> None:
    assert [] == [
        f"{thing['kind']} {thing['metadata']['name']}: {path}"
        for thing in shape.objects()
        for path in _nulls(thing, "")
    ]


def _nulls(thing: Any, path: str) -> list[str]:
    if thing is None:
        return [path]
    if isinstance(thing, dict):
        return [found for key, value in thing.items() for found in _nulls(value, f"{path}.{key}")]
    if isinstance(thing, list):
        return [found for number, value in enumerate(thing) for found in _nulls(value, f"{path}[{number}]")]
    return []


def _faults(things: list[dict[str, Any]]) -> list[str]:
    return [
        f"{thing['kind']} {thing['metadata']['name']}: {fault}" for thing in things for fault in schemas.faults(thing)
    ]


DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    },
}


def test_the_check_itself_sees_an_unknown_field_of_kubernetes() -> None:
    assert [] == schemas.faults(DEPLOYMENT)
    spec = DEPLOYMENT["spec"] | {"replica": 2}

    (fault,) = schemas.faults(DEPLOYMENT | {"spec": spec})

    assert "$.spec: Additional properties are not allowed ('replica' was unexpected)" == fault


def test_the_check_itself_sees_an_unknown_field_of_a_custom_object() -> None:
    schema = schemas.closed(
        {
            "type": "object",
            "properties": {
                "metadata": {"type": "object"},
                "spec": {
                    "type": "object",
                    "properties": {
                        "port": {
                            "anyOf": [{"type": "integer"}, {"type": "string"}],
                            "x-kubernetes-int-or-string": True,
                        },
                        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                        "free": {
                            "type": "object",
                            "properties": {"a": {}},
                            "x-kubernetes-preserve-unknown-fields": True,
                        },
                        "maybe": {"type": "string", "nullable": True},
                    },
                },
            },
        }
    )

    def said(**spec: object) -> list[str]:
        return schemas.said(schema, {"metadata": {"name": "x"}, "spec": spec})

    assert [] == said(port="http", labels={"a": "b"}, free={"b": 1}, maybe=None)
    assert [] == said(port=80)
    assert ["$.spec.port: 1.5 is not valid under any of the given schemas"] == said(port=1.5)
    assert ["$.spec: Additional properties are not allowed ('ports' was unexpected)"] == said(ports=80)
    assert ["$.spec.labels.a: 1 is not of type 'string'"] == said(labels={"a": 1})


def test_an_object_without_a_schema_is_not_taken_for_valid() -> None:
    with pytest.raises(LookupError, match=r"no schema is known of example.org/v1 Thing"):
        schemas.faults({"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "x"}})
