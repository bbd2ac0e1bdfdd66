"""Every series that rules and dashboards name is there in the real stack: real engines, the router in front of them."""

import httpx

from tests.deploy.promql import exported, named
from tests.e2e.asking import Asker
from tests.e2e.fleet import Fleet

# What this stack does not have, so that its series are not there; tests/deploy/test_prometheus_live.py has them all.
NOT_IN_THIS_STACK = {
    "tramontane_mesh_": "one router has nobody to share with",
    "tramontane_responses_": "`responses.store` is off",
    "tramontane_tls_certificate_": "it speaks plain HTTP",
}


def test_real_engines_export_every_series_that_is_named(ask: Asker, engine_url: str) -> None:
    page = httpx.get(engine_url + "/metrics", timeout=60).text
    engines = {name for name in named() if name.startswith("vllm:")}
    assert len(engines) > 15
    assert set() == engines - exported(page)


def test_engines_have_the_labels_that_are_asked_for(ask: Asker, engine_url: str) -> None:
    page = httpx.get(engine_url + "/metrics", timeout=60).text
    running = next(line for line in page.splitlines() if line.startswith("vllm:num_requests_running{"))
    ended = [line for line in page.splitlines() if line.startswith("vllm:request_success_total{")]
    assert 'engine="0"' in running
    assert f'model_name="{ask.fleet.model}"' in running
    assert {"abort", "error", "length", "stop"} <= {line.split('finished_reason="')[1].split('"')[0] for line in ended}


def test_the_router_of_the_stack_exports_every_series_that_is_named(fleet: Fleet) -> None:
    page = httpx.get(fleet.root_url + "/metrics", timeout=60).text
    ours = {name for name in named() if not name.startswith(("vllm:", "tramontane:", *NOT_IN_THIS_STACK))}
    assert set() == ours - exported(page)
