"""What Ray itself says of the rendered configuration; nothing of Ray is started."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.helm.rayservices import WITH_ENGINES
from tests.helm.render import one, render
from tests.helm.shapes import Shape

pytest.importorskip("ray.serve.schema")

from ray.serve._private.deploy_utils import get_app_code_version
from ray.serve.schema import ServeApplicationSchema, ServeDeploySchema

H100 = {"model": "mistral-small-3.1-24b", "preset": "h100"}


def told(**deployment: Any) -> ServeApplicationSchema:
    objects = render({"engines": {"mine": {"deployment": {**H100, **deployment}}}})
    (application,) = parsed(one(objects, "RayService")).applications
    return application


def parsed(service: Mapping[str, Any]) -> ServeDeploySchema:
    return ServeDeploySchema.model_validate(yaml.safe_load(service["spec"]["serveConfigV2"]))


@pytest.mark.parametrize("shape", WITH_ENGINES, ids=str)
def test_ray_takes_the_configuration(shape: Shape) -> None:
    assert parsed(one(shape.objects(), "RayService")).applications


def test_another_number_of_replicas_is_the_same_code_to_serve_and_another_argument_is_not() -> None:
    fixed, scaling = (get_app_code_version(told(**each)) for each in ({}, {"autoscaling": {"max_replicas": 4}}))

    assert fixed == get_app_code_version(told(replicas=3))
    assert scaling == get_app_code_version(told(autoscaling={"min_replicas": 2, "max_replicas": 8}))
    assert fixed != get_app_code_version(told(engine={"max_num_seqs": 64}))
    assert fixed != scaling  # Serve replaces replicas when scaling is switched on or off
