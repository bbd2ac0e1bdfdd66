"""Is an object one that a cluster takes: every field known, every value of its type?

Kubernetes' own kinds are held against its strict OpenAPI schemas (from kubernetes-validate), custom ones against
the schema in their CRD. A CRD says nothing against unknown fields, as a cluster drops them silently; here they are
wrong, since nobody writes a field in order to have it dropped. Pod templates within custom objects are held against
Kubernetes' own schema too, of which a CRD has an older copy.

What CRDs say in CEL (x-kubernetes-validations) is not asked.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import jsonschema
import yaml
from referencing import Registry, Resource

from deploy.chart.crds import FOLDER as FETCHED
from tests.helm.render import ROOT

KUBERNETES = "v1.37.0-local-strict"
CRDS = (ROOT.parent / "shared" / "crds", FETCHED)  # beside the checkout, or by `make crds`
OPEN = "x-kubernetes-preserve-unknown-fields"

Schema = dict[str, Any]


def faults(thing: Mapping[str, Any]) -> list[str]:
    """What is wrong with an object; empty: a cluster takes it. Raises LookupError: there is no schema of its kind."""
    check = _core(thing["apiVersion"], thing["kind"]) or _custom(thing["apiVersion"], thing["kind"])
    if check is None:
        raise LookupError(f"no schema is known of {thing['apiVersion']} {thing['kind']}")
    return _said(check, thing) + [
        f"{at}: {fault}" for at, template in _pod_templates(thing) for fault in _said(_pod_template(), template)
    ]


def has_schemas_of_custom_objects() -> bool:
    return any(folder.is_dir() for folder in CRDS)


def is_custom(thing: Mapping[str, Any]) -> bool:
    """Whether it is none of Kubernetes' own kinds."""
    return _core(thing["apiVersion"], thing["kind"]) is None


def said(schema: Schema, thing: object) -> list[str]:
    """What a schema has against a thing."""
    return _said(jsonschema.Draft202012Validator(schema), thing)


def _said(check: Any, thing: object) -> list[str]:
    return [f"{error.json_path}: {error.message}"[:400] for error in check.iter_errors(thing)]


@cache
def _core(version: str, kind: str) -> Any:
    group, _, number = version.rpartition("/")
    name = f"{kind}-{group.partition('.')[0]}-{number}.json" if group else f"{kind}-{number}.json"
    found = _folder() / name.lower()
    if not found.is_file():
        return None
    schema = json.loads(found.read_text())
    if schema["properties"]["apiVersion"].get("enum") != [version]:
        return None  # the same words in another group
    return jsonschema.Draft202012Validator(schema, registry=_definitions())


@cache
def _pod_template() -> Any:
    schema = json.loads((_folder() / "podtemplatespec-v1.json").read_text())
    return jsonschema.Draft202012Validator(schema, registry=_definitions())


def _folder() -> Any:
    return resources.files("kubernetes_validate") / "kubernetes-json-schema" / KUBERNETES


@cache
def _definitions() -> Any:
    contents = json.loads((_folder() / "_definitions.json").read_text())
    return Resource.from_contents(contents) @ Registry()


def _pod_templates(thing: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Of KubeRay's objects, each with where it stands."""
    cluster = thing["spec"].get("rayClusterConfig") if thing["kind"] == "RayService" else None
    if cluster:
        yield "headGroupSpec.template", cluster["headGroupSpec"]["template"]
        for number, group in enumerate(cluster.get("workerGroupSpecs", [])):
            yield f"workerGroupSpecs[{number}].template", group["template"]


@cache
def _custom(version: str, kind: str) -> Any:
    schema = _of_crds().get((version, kind))
    return None if schema is None else jsonschema.Draft202012Validator(schema)


@cache
def _of_crds() -> dict[tuple[str, str], Schema]:
    """Schemas by apiVersion and kind, from the first folder that has any."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[tuple[str, str], Schema] = {}
    for folder in CRDS:
        for file in sorted(folder.glob("*.yaml")):
            spec = yaml.load(file.read_text(), Loader=loader)["spec"]
            for version in spec["versions"]:
                key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                found.setdefault(key, closed(version["schema"]["openAPIV3Schema"]))
    return found


def closed(schema: Schema, *, is_root: bool = True) -> Schema:
    """A CRD's schema in JSON Schema's words, in which fields that it does not name are wrong."""
    made = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-") and key != "description"}
    if "properties" in made:
        made["properties"] = {name: closed(each, is_root=False) for name, each in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = closed(made[key], is_root=False)
    # anyOf, allOf and oneOf of a structural schema only narrow what stands beside them: closing them would exclude it
    if "properties" in made and "additionalProperties" not in made and not schema.get(OPEN):
        made["additionalProperties"] = False
    if is_root:
        made["properties"]["metadata"] = {"type": "object"}  # Kubernetes' own; it is checked with the core schemas
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if made.pop("nullable", False):
        made = {"anyOf": [made, {"type": "null"}]}
    return made
