import yaml

from bench.stack import Engine, configuration
from router.config import parse


def test_the_router_accepts_the_configuration_it_is_given() -> None:
    config = parse(yaml.safe_load(configuration(4321, "127.0.0.1:9", None)), source="bench")
    assert (4321, ["bench/cheap"]) == (config.listen.port, [model.id for model in config.models])


def test_an_engine_is_a_second_model() -> None:
    engine = Engine("10.0.0.7:30000", "/models/pocket")
    config = parse(yaml.safe_load(configuration(1, "127.0.0.1:9", engine)), source="bench")
    assert ["bench/cheap", "bench/models/pocket"] == [model.id for model in config.models]
    assert ["cheap", "/models/pocket"] == [pool.upstream_model for pool, _ in config.pools()]
