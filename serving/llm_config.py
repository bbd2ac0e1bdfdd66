"""An engine and its deployment, in the form that Ray Serve's LLM builder takes."""

from typing import Any

from ray.serve.llm import LLMConfig

from serving.config import Deployment
from serving.engine import Engine


def llm_config(deployment: Deployment, engine: Engine) -> LLMConfig:
    """What `ray.serve.llm` builds a deployment of."""
    scaling: dict[str, Any]
    if deployment.autoscaling is None:
        scaling = {"num_replicas": deployment.replicas}
    else:
        scaling = {"autoscaling_config": deployment.autoscaling.model_dump()}
    return LLMConfig(
        model_loading_config={"model_id": engine.model_id, "model_source": engine.source},
        engine_kwargs=dict(engine.arguments),
        accelerator_type=engine.accelerator_type,
        accelerator_config={"kind": "gpu" if engine.on_gpu else "cpu"},
        placement_group_config={
            "bundles": [dict(bundle) for bundle in engine.placement.bundles],
            "strategy": engine.placement.strategy,
        },
        runtime_env={"env_vars": dict(engine.environment)},
        # False: vLLM's own Prometheus registry, under its own names, at each replica's /metrics.
        log_engine_metrics=False,
        deployment_config={
            "name": deployment.model,
            "ray_actor_options": {"num_cpus": deployment.cpus_per_replica},
            "max_ongoing_requests": deployment.max_ongoing_requests,
            "max_queued_requests": deployment.max_queued_requests,
            "backpressure_config": {"status_code": 503, "retry_after_s": deployment.retry_after_s},
            "health_check_period_s": deployment.health.period_s,
            "health_check_timeout_s": deployment.health.timeout_s,
            "graceful_shutdown_timeout_s": deployment.drain.timeout_s,
            "graceful_shutdown_wait_loop_s": 0.5,
            **scaling,
        },
    )
