"""The routers as a pool of a Gateway's."""

from tests.helm.render import one
from tests.helm.router_pod import made

POOL = {"enabled": True, "endpointPicker": {"name": "picker", "port": 9100}}
ON = {"gateway": {"enabled": True, "parents": [{"name": "public"}], "inferencePool": POOL}}


def test_its_members_are_the_routers() -> None:
    objects = made(ON)
    spec = one(objects, "InferencePool")["spec"]

    template = one(objects, "Deployment", "tramontane-router")["spec"]["template"]
    assert spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    ports = {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}
    assert [{"number": ports["http"]}] == spec["targetPorts"]


def test_a_picker_that_does_not_answer_stops_nobody() -> None:
    reference = one(made(ON), "InferencePool")["spec"]["endpointPickerRef"]
    assert {"name": "picker", "port": {"number": 9100}, "failureMode": "FailOpen"} == reference
