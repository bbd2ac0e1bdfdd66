"""A Gateway's way to the routers."""

from tests.helm.render import one
from tests.helm.router_pod import made

PARENT = {"name": "public", "namespace": "gateways", "sectionName": "https"}
ON = {"gateway": {"enabled": True, "parents": [PARENT], "hostnames": ["llm.example.org"]}}


def test_it_leads_to_the_service_and_cuts_no_stream_off() -> None:
    spec = one(made(ON | {"service": {"port": 8000}}), "HTTPRoute")["spec"]

    assert ([PARENT], ["llm.example.org"]) == (spec["parentRefs"], spec["hostnames"])
    (rule,) = spec["rules"]
    assert {"request": "0s", "backendRequest": "0s"} == rule["timeouts"]
    assert [{"name": "tramontane-router", "port": 8000}] == rule["backendRefs"]


def test_with_a_pool_it_leads_to_that() -> None:
    pool = {"enabled": True, "endpointPicker": {"name": "picker"}}
    objects = made(ON, {"gateway": {"inferencePool": pool}})
    (rule,) = one(objects, "HTTPRoute")["spec"]["rules"]

    found = one(objects, "InferencePool")
    group, _, _ = found["apiVersion"].partition("/")
    assert [{"group": group, "kind": found["kind"], "name": found["metadata"]["name"]}] == rule["backendRefs"]


def test_it_is_off_by_default() -> None:
    assert [] == [it for it in made() if it["kind"] in ("HTTPRoute", "InferencePool")]
