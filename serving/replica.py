"""The class Ray Serve runs one of per replica: an engine, announced when warm, watched while alive, drained at its end.

Ray's own LLM server, with seven differences: KV-event ports of its own, a warm-up before Ray may announce it, liveness
by progress, new work refused once its leaving must be known, autoscaling by work alone, an engine whose processes end
with it, and parsers that are not built anew for every request.
"""

from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.llm._internal.serve.core.configs.llm_config import LLMConfig
from ray.llm._internal.serve.core.server.llm_server import LLMServer
from starlette.types import ASGIApp

from serving import kv_events, parsers
from serving.config import Deployment
from serving.demand import CountWork, Demand
from serving.drain import RefuseWhileDraining
from serving.liveness import WatchedEngine
from serving.warmup import warm_up


class Replica(LLMServer):
    """Created by Ray Serve; see `serving.app`."""

    engine: WatchedEngine

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self, llm_config: LLMConfig, *, deployment: Deployment
    ) -> None:
        self._deployment = deployment
        self._kv_ports: kv_events.Ports | None = None
        self._demand = Demand()
        await super().__init__(llm_config, engine_cls=WatchedEngine)

    async def start(self) -> None:
        """Start the engine and warm it up. Ray announces the replica only after this has returned."""
        settings = self._deployment.kv_events
        if settings.enabled:
            self._kv_ports = kv_events.choose_ports(settings, serve.get_replica_context().rank.local_rank)
            self._llm_config.update_engine_kwargs(kv_events_config=kv_events.engine_config(settings, self._kv_ports))
        self._skip_download_of_a_folder()
        parsers.keep_built()
        await super().start()
        self.engine.watch(self._deployment.health)
        self._app = await self._build_app()
        await warm_up(self._app, self._llm_config.model_id, sees=self._llm_config.supports_vision)

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """Asked by Ray, if the deployment scales by load."""
        return self._demand.report()

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        """The application that Ray opens on the replica's port: the one that was warmed up."""
        return self._app

    def _skip_download_of_a_folder(self) -> None:
        # Ray would start a process on every node to find out that there is nothing to download.
        if Path(self._llm_config.get_engine_config().actual_hf_model_id).is_dir():
            self._llm_config.get_or_create_callback().ctx.run_init_node = False

    async def _build_app(self) -> ASGIApp:
        app = await super().__serve_build_asgi_app__()
        sources = kv_events.sources(self._kv_ports, ray.util.get_node_ip_address())

        @app.get(kv_events.ROUTE)
        async def kv_event_sources() -> list[dict[str, Any]]:
            return [dict(source) for source in sources]

        # vLLM hands the application over with its middleware already stacked; without this it refuses another.
        app.middleware_stack = None
        app.add_middleware(
            RefuseWhileDraining,
            is_draining=_drain_state(),
            leave_s=self._deployment.drain.leave_s,
            retry_after_s=self._deployment.retry_after_s,
        )
        app.add_middleware(CountWork, demand=self._demand)
        return app  # type: ignore[no-any-return]

    async def __del__(self) -> None:
        """Called, and awaited, by Ray once the last request has ended."""
        engine = getattr(self, "engine", None)
        if engine is not None:
            await engine.shutdown()


def _drain_state() -> Any:
    """A function that tells whether Ray has begun to stop this replica.

    Ray tells its replicas' code only when draining is over, so this reads the flag behind Ray's own
    `/-/healthz` answer. Looked up once at start, so that a Ray version without it fails there.
    """
    worker = ray._private.worker.global_worker
    replica = worker.actors[worker.actor_id]._replica_impl
    if not isinstance(replica._shutting_down, bool):
        raise TypeError("this version of Ray keeps a replica's draining elsewhere")
    return lambda: replica._shutting_down
