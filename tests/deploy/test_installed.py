import pytest

from deploy.installed import require_engines
from deploy.problem import Problem


def test_an_environment_with_engines_is_let_through() -> None:
    require_engines(lambda name: object())


def test_one_that_only_routes_is_told_what_is_missing_and_how_to_get_it() -> None:
    with pytest.raises(Problem, match=r"ray, vllm not installed.*make setup.*\[gpu\]"):
        require_engines(lambda name: None if name in ("ray", "vllm") else object())
