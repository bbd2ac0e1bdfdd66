"""The deployment file: which model on which hardware, how many replicas, and how they live and end.

One file is one Ray Serve application. The same keys are accepted as `args` of the application in a RayService
manifest. Every key has a default except `model` and `preset`; an unknown key is refused with its path. Nothing is
looked up here: whether the model, the preset and the sizes go together is decided by `serving.engine`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class ConfigError(ValueError):
    """A deployment that cannot be, said in words for the person who wrote it."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Autoscaling(_Settings):
    """Ray Serve's scaling by the number of requests each replica is working on."""

    min_replicas: Annotated[int, Field(ge=0)] = 1
    """Replicas kept when there is nothing to do. 1: a cold engine takes minutes to load, so zero must be chosen."""
    max_replicas: Count
    """Replicas at most. No default: it is what the deployment may cost."""
    target_ongoing_requests: Annotated[float, Field(gt=0)] = 32.0
    """Requests per replica to aim at. 32: a few times what one card decodes at good speed would already be late."""
    upscale_delay_s: Seconds = 10.0
    """Seconds the load must stay high before a replica is added. 10: shorter chases single bursts."""
    downscale_delay_s: Seconds = 600.0
    """Seconds the load must stay low before one is removed. 600: starting an engine again costs minutes."""

    @model_validator(mode="after")
    def _ordered(self) -> "Autoscaling":
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas ({self.min_replicas}) is above max_replicas ({self.max_replicas})")
        return self


class Health(_Settings):
    """When a replica counts as dead. Ray replaces it after three failed checks in a row."""

    period_s: Seconds = 2.0
    """Seconds between checks. 2: with three failures needed, a dead engine is replaced some 6 s after it is seen."""
    timeout_s: Seconds = 15.0
    """Seconds after which an unanswered check has failed. Must be above `probe_timeout_s`."""
    stall_s: Seconds = 30.0
    """Seconds without an engine iteration, while requests run or wait, after which a check fails. 30: an iteration
    takes well under a second on a card; the margin is for a machine under memory pressure or a debugger."""
    probe_timeout_s: Seconds = 10.0
    """Seconds an idle engine and its workers may take to answer the probe, a call that computes nothing."""

    @model_validator(mode="after")
    def _ordered(self) -> "Health":
        if self.timeout_s <= self.probe_timeout_s:
            raise ValueError(
                f"timeout_s ({self.timeout_s:g}) must be above probe_timeout_s ({self.probe_timeout_s:g}),"
                " or Ray gives a check up before its probe can answer"
            )
        return self


class Drain(_Settings):
    """How a replica ends when it is scaled down, replaced or stopped."""

    timeout_s: Seconds = 300.0
    """Seconds that running requests may take to end before they are cut. 300: longer than nearly every answer; a
    Kubernetes `terminationGracePeriodSeconds` must be above it."""
    leave_s: Annotated[float, Field(ge=0, le=5)] = 5.0
    """Seconds that it still takes new requests, because routers hear late that it leaves and who succeeds it: they ask
    a head every second, which may need two to answer. At most 5: its port stays open for 6 seconds at least
    (`RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S`)."""


class KVEvents(_Settings):
    """vLLM's events about blocks entering and leaving its KV cache, for a router that keeps an exact prefix index."""

    enabled: bool = True
    """Whether they are published (ZeroMQ). On: it costs one background thread, and nothing while nobody listens."""
    port: Annotated[int, Field(ge=0, le=65534)] = 0
    """First TCP port of the publishers on a node: the replica with local rank n takes `port + 2n`, its replay socket
    the next one. 0: any free ports, read from `GET /kv_event_sources`; fixed ones are for network policies."""
    replay_steps: Count = 100_000
    """Batches of events kept for a listener that joins late or missed some. 100,000: some 40 minutes of a busy engine,
    so that a router which starts anew learns what is cached; tens of megabytes. vLLM's own 10,000 last 4 minutes."""


class Deployment(_Settings):
    """One model, served by one or more interchangeable replicas."""

    model: str
    """Name of the model profile (a file of `serving/profiles`), e.g. `mistral-small-3.1-24b` or `pocket`."""
    preset: str
    """Name of the profile's hardware preset, e.g. `h100` or `cpu`. No default: wrong hardware fails late."""
    model_id: str | None = None
    """Name under which requests ask for the model. Default: the profile's."""
    source: str | None = None
    """Folder, Hugging Face repository or object-store address of the weights. Default: the profile's."""
    application: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] | None = None
    """Name of the Ray Serve application. Default: the profile's name. Must differ between files of one cluster."""
    route_prefix: Annotated[str, Field(pattern=r"^/[^\s]*$")] = "/"
    """Path under which the replicas answer. `/`: a replica's port is its own, so there is nothing to tell apart."""
    replicas: Count = 1
    """Number of replicas. Not together with `autoscaling`."""
    autoscaling: Autoscaling | None = None
    """Scaling by load instead of a fixed number. Default: off."""
    tensor_parallel_size: Count | None = None
    """Cards (on CPU: processes) that share each layer of one replica. Default: the preset's."""
    pipeline_parallel_size: Count = 1
    """Groups of cards that each hold a share of the layers. 1: a stage more adds latency to every token."""
    cpus_per_replica: Annotated[float, Field(gt=0)] = 1.0
    """CPU cores Ray sets aside for the process that tokenizes and speaks HTTP. 1: it is one event loop."""
    cpus_per_worker: Annotated[float, Field(gt=0)] = 1.0
    """CPU cores Ray sets aside beside each worker. 1: a worker on a card mostly waits for it."""
    max_ongoing_requests: Count = 1024
    """Requests one replica works on at a time; more wait in front of it. 1,024: above what an engine batches, so
    the engine's own scheduler orders the work, and low enough to bound memory."""
    max_queued_requests: Count = 256
    """Requests that may wait in front of a replica; one more is refused with 503 and goes elsewhere."""
    retry_after_s: Count = 1
    """Seconds in the `Retry-After` of the 503 with which a full or ending replica refuses. 1: others may have room."""
    engine: dict[str, Any] = Field(default_factory=dict)
    """vLLM's own arguments (names with underscores), passed through untouched and above those of the preset."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Environment variables of the replicas and their workers, above those of the preset."""
    health: Health = Health()
    drain: Drain = Drain()
    kv_events: KVEvents = KVEvents()

    @model_validator(mode="after")
    def _one_way_of_counting(self) -> "Deployment":
        if self.autoscaling is not None and "replicas" in self.model_fields_set:
            raise ValueError("replicas and autoscaling are both set; keep one of them")
        return self


def parse(values: object, origin: str) -> Deployment:
    """Check the keys and values of one deployment.

    Args:
        values: what the file or the manifest says.
        origin: the file's name, for the messages.

    Raises:
        ConfigError: naming each wrong key by its path.
    """
    if not isinstance(values, dict):
        raise ConfigError(f"{origin}: expected keys and values, found {type(values).__name__}")
    try:
        return Deployment.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{origin}: {line}" for line in _lines(error))) from None


def load(path: str | Path) -> Deployment:
    """Read a deployment file.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or does not hold a deployment.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is no YAML: {error}") from None
    return parse(values, str(path))


def from_args(args: Mapping[str, Any]) -> Deployment:
    """Read the arguments of a Ray Serve application: the keys themselves, or `file` alone with a path to them.

    Raises:
        ConfigError: as `parse` and `load` do.
    """
    return load(args["file"]) if set(args) == {"file"} else parse(dict(args), "args")


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for item in error.errors(include_url=False):
        path = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            lines.append(f"{path}: unknown key")
        else:
            message = item["msg"].removeprefix("Value error, ")
            lines.append(f"{path}: {message}" if path else message)
    return lines
