"""`serving.app:build`: the import path of a Ray Serve application, for `serve.run` and KubeRay's RayService alike.

The whole Ray cluster must run with the variables of `serving.environment`.
"""

import os
from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.llm._internal.serve.core.server.builder import build_llm_deployment
from ray.serve import Application
from ray.serve.config import RequestRouterConfig
from ray.serve.experimental.round_robin_router import RoundRobinRouter

from serving import environment
from serving.config import from_args
from serving.engine import resolve
from serving.llm_config import llm_config
from serving.replica import Replica


def build(args: Mapping[str, Any]) -> Application:
    """Build the application.

    Args:
        args: the keys of a deployment file, or `{"file": "path of one"}`.

    Raises:
        ConfigError: the deployment is wrong, or the cluster was started without what it needs.
    """
    environment.require(os.environ)
    deployment = from_args(args)
    # What Ray's own builder does for direct streaming, less the request router that would make it insist on HAProxy.
    return build_llm_deployment(
        llm_config(deployment, resolve(deployment)),
        name_prefix="engine:",
        bind_kwargs={"deployment": deployment},
        deployment_cls=serve.ingress()(Replica),
        override_serve_options={"request_router_config": RequestRouterConfig(request_router_class=RoundRobinRouter)},
    )
