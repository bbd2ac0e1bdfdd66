"""Variables of the Ray cluster."""

import pytest

from serving.config import ConfigError
from serving.environment import EVERY_CLUSTER, one_machine, require


def test_a_cluster_with_our_variables_will_do() -> None:
    require(EVERY_CLUSTER)


def test_a_cluster_without_a_door_to_each_replica_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be started with RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING=1, or"):
        require({"RAY_AUTH_MODE": "token", "RAY_SERVE_ENABLE_DIRECT_INGRESS": "1"})
    with pytest.raises(
        ConfigError, match="RAY_SERVE_ENABLE_DIRECT_INGRESS=1 and RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING=1"
    ):
        require({"RAY_AUTH_MODE": "token", "RAY_SERVE_ENABLE_DIRECT_INGRESS": "0"})


@pytest.mark.parametrize("mode", [{}, {"RAY_AUTH_MODE": "disabled"}], ids=["unset", "disabled"])
def test_a_cluster_that_lets_everybody_in_is_refused(mode: dict[str, str]) -> None:
    """Ray itself asks for tokens only where the variable is set, or a token happens to lie in the home directory."""
    without = {name: value for name, value in EVERY_CLUSTER.items() if name != "RAY_AUTH_MODE"}
    with pytest.raises(ConfigError, match="must be started with RAY_AUTH_MODE=token and its token in the file"):
        require(without | mode)


def test_a_token_of_another_cluster_does_not_get_into_a_cluster_of_one_machine() -> None:
    theirs = {"RAY_AUTH_TOKEN": "another"}
    assert "" == (theirs | one_machine("/run/token", range(1, 2), "/repository"))["RAY_AUTH_TOKEN"]


def test_a_cluster_of_one_machine_keeps_to_its_token_ports_and_loopback() -> None:
    found = one_machine("/run/token", range(20000, 20011), "/repository")
    assert EVERY_CLUSTER.items() <= found.items()
    assert ("/run/token", "20000", "20010", "0") == (
        found["RAY_AUTH_TOKEN_PATH"],
        found["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"],
        found["RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"],
        found["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"],
    )
