"""The deployment file: what is accepted, and what a mistake is called."""

from pathlib import Path

import pytest

from serving.config import Autoscaling, ConfigError, Deployment, from_args, load, parse

POCKET = {"model": "pocket", "preset": "cpu"}


def refusal(values: object) -> str:
    """The message with which these values are refused."""
    with pytest.raises(ConfigError) as refused:
        parse(values, "engines.yaml")
    return str(refused.value)


def test_a_model_and_a_preset_are_enough() -> None:
    assert Deployment(model="pocket", preset="cpu") == parse(POCKET, "engines.yaml")


def test_an_unknown_key_is_refused_with_its_path() -> None:
    assert "engines.yaml: replica: unknown key" == refusal({**POCKET, "replica": 2})
    assert "engines.yaml: health.period: unknown key" == refusal({**POCKET, "health": {"period": 1}})


def test_every_mistake_is_named_at_once() -> None:
    message = refusal({"preset": "cpu", "replicas": 0, "drain": {"timeout_s": -1}})
    assert [
        "engines.yaml: model: Field required",
        "engines.yaml: replicas: Input should be greater than or equal to 1",
        "engines.yaml: drain.timeout_s: Input should be greater than 0",
    ] == message.splitlines()


def test_a_time_without_end_is_refused() -> None:
    assert "health.stall_s" in refusal({**POCKET, "health": {"stall_s": float("inf")}})


def test_a_fixed_number_and_autoscaling_exclude_each_other() -> None:
    message = refusal({**POCKET, "replicas": 2, "autoscaling": {"max_replicas": 3}})
    assert "engines.yaml: replicas and autoscaling are both set; keep one of them" == message


def test_autoscaling_needs_its_upper_end_and_in_order() -> None:
    assert "engines.yaml: autoscaling.max_replicas: Field required" == refusal({**POCKET, "autoscaling": {}})
    message = refusal({**POCKET, "autoscaling": {"min_replicas": 3, "max_replicas": 2}})
    assert "engines.yaml: autoscaling: min_replicas (3) is above max_replicas (2)" == message
    found = parse({**POCKET, "autoscaling": {"min_replicas": 0, "max_replicas": 2}}, "engines.yaml")
    assert Autoscaling(min_replicas=0, max_replicas=2) == found.autoscaling


def test_a_health_check_must_outlast_its_probe() -> None:
    message = refusal({**POCKET, "health": {"timeout_s": 5, "probe_timeout_s": 5}})
    assert message.startswith("engines.yaml: health: timeout_s (5) must be above probe_timeout_s (5)")


def test_what_is_not_keys_and_values_is_refused() -> None:
    assert "engines.yaml: expected keys and values, found list" == refusal(["pocket"])


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "engines.yaml"
    file.write_text("model: pocket\npreset: cpu\nengine: {max_model_len: 1024}\n")
    assert parse({**POCKET, "engine": {"max_model_len": 1024}}, "") == load(file)


def test_a_file_that_is_missing_or_no_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "engines.yaml"
    with pytest.raises(ConfigError, match=r"engines\.yaml: cannot be read: .*No such file"):
        load(file)
    file.write_text("model: [pocket")
    with pytest.raises(ConfigError, match=r"engines\.yaml: is no YAML"):
        load(file)
    file.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match=r"engines\.yaml: cannot be read"):
        load(file)


def test_an_applications_arguments_are_the_keys_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "engines.yaml"
    file.write_text("model: pocket\npreset: cpu\n")
    assert from_args(POCKET) == from_args({"file": str(file)})
    with pytest.raises(ConfigError, match="args: modle: unknown key"):
        from_args({**POCKET, "modle": "pocket"})
