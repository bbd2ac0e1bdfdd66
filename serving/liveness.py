"""What a health check asks of a vLLM engine.

vLLM's own check only notices a process that has died. One that was stopped, or hangs, looks well. So with work in
hand the engine must finish iterations (`serving.progress`), and without work it must answer a call that goes through
its core and every worker and computes nothing: else a replica that died in the quiet of the night would be found by
the first caller of the morning.
"""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ray.llm._internal.serve.engines.vllm.vllm_engine import VLLMEngine
from vllm.platforms import current_platform
from vllm.v1.metrics.loggers import StatLoggerBase

from serving.config import Health
from serving.progress import Progress

if TYPE_CHECKING:
    from vllm.v1.engine.async_llm import AsyncLLM


class EngineStalled(RuntimeError):
    """The engine is not dead by vLLM's account, but does nothing."""


class IterationCounter(StatLoggerBase):
    """Counts the engine's iterations: vLLM calls every stat logger once for each."""

    def __init__(self) -> None:
        self.iterations = 0

    def record(self, *_: Any, **__: Any) -> None:
        self.iterations += 1

    def log_engine_initialized(self) -> None:
        """Nothing to say."""


class WatchedEngine(VLLMEngine):
    """Ray's vLLM engine with an iteration counter, the check above, and an end that leaves no process behind."""

    client: "AsyncLLM"

    def _start_async_llm_engine(
        self, vllm_engine_args: Any, vllm_engine_config: Any, placement_group: Any
    ) -> "AsyncLLM":
        if current_platform.is_cpu() and vllm_engine_config.parallel_config.world_size == 1:
            # Ray asks for a worker process even where the engine's own is all there is.
            vllm_engine_config.parallel_config.distributed_executor_backend = "uni"
        self.client = super()._start_async_llm_engine(vllm_engine_args, vllm_engine_config, placement_group)
        self.counter = IterationCounter()
        self.client.logger_manager.stat_loggers.append(self.counter)
        return self.client

    def watch(self, health: Health) -> None:
        """Set the limits of the check; to be called once the engine runs."""
        self._health = health
        self._progress = Progress(stall_s=health.stall_s)

    async def check_health(self) -> None:
        """Raise if the engine is dead or stands still.

        Raises:
            EngineStalled: work without iterations for `stall_s`, or an idle engine silent for `probe_timeout_s`.
            EngineDeadError: vLLM found its own process dead.
        """
        await super().check_health()
        unfinished = self.client.get_num_unfinished_requests()
        if not self._progress.observe(time.monotonic(), self.counter.iterations, busy=unfinished > 0):
            raise EngineStalled(
                f"{unfinished} requests wait and no iteration has finished for {self._health.stall_s:g} s"
            )
        if unfinished == 0:
            try:
                async with asyncio.timeout(self._health.probe_timeout_s):
                    await self.client.collective_rpc("check_health")
            except TimeoutError:
                raise EngineStalled(
                    f"the idle engine or a worker has not answered for {self._health.probe_timeout_s:g} s"
                ) from None

    async def shutdown(self) -> None:
        """End the engine's processes and wait for them."""
        await super().shutdown()
        if self._engine_client is not None:  # it is, where starting failed
            self.client.shutdown()
