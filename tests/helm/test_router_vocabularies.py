"""The pocket model's tokenizer travels with the chart."""

import base64

from tests.helm.render import CHART, one
from tests.helm.router_pod import TEKKEN, made


def test_it_is_the_one_that_its_engines_have() -> None:
    assert TEKKEN.read_bytes() == (CHART / "files" / "pocket-tekken.json").read_bytes()
    given = {"engines": {"a": {"deployment": {"model": "pocket", "preset": "cpu"}}}}
    found = one(made(given), "ConfigMap", "tramontane-router-vocabularies")
    assert TEKKEN.read_bytes() == base64.b64decode(found["binaryData"]["pocket.json"])


def test_without_the_pocket_model_there_is_none() -> None:
    given = {"engines": {"a": {"deployment": {"model": "mistral-small-3.1-24b", "preset": "h100"}}}}
    names = [it["metadata"]["name"] for it in made(given) if it["kind"] == "ConfigMap"]
    assert "tramontane-router-vocabularies" not in names
