"""The documents these tests are made of, held against the classes with which Ray itself writes them."""

import json
import warnings
from importlib import import_module
from types import ModuleType

import pytest

from tests.router.upstream.ray_documents import EMPTY, PROXY, controller, group, replica, target


@pytest.fixture(scope="module")
def schema() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own use of pydantic, which its import complains of
        return import_module("ray.serve.schema")


def test_a_replica_is_written_as_ray_writes_it_in_every_state(schema: ModuleType) -> None:
    states = [state.value for state in schema.ReplicaState]
    assert {"RUNNING", "PENDING_MIGRATION", "RECOVERING", "UPDATING", "STOPPING"} <= set(states)
    for state in states:
        ours = replica("a", state)
        assert ours == json.loads(schema.ReplicaDetails.model_validate(ours).model_dump_json())


@pytest.mark.parametrize("protocol", ["HTTP", "gRPC"])
def test_a_target_group_is_written_as_ray_writes_it(schema: ModuleType, protocol: str) -> None:
    ours = group([target("a"), PROXY], protocol=protocol)
    assert ours == json.loads(schema.TargetGroup.model_validate(ours).model_dump_json())


def test_a_controller_is_written_as_ray_writes_it(schema: ModuleType) -> None:
    ours = controller("w-1")
    assert ours == json.loads(schema.ServeActorDetails.model_validate(ours).model_dump_json())


def test_without_a_controller_ray_writes_what_is_taken_for_it(schema: ModuleType) -> None:
    assert schema.ServeInstanceDetails.get_empty_schema_dict() == EMPTY
