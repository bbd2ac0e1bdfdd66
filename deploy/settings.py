"""The files a local stack is started from: the engines' deployment and the router's configuration.

Pure: values in, text out.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

import serving.config
from deploy.model_facts import ModelFacts, facts_of

MODEL = "tramontane/pocket"
APPLICATION = "pocket"
VOCABULARY = Path(__file__).parents[1] / "serving" / "pocket" / "weights" / "tekken.json"
API_KEY, MANAGEMENT_KEY, DATABASE = "api-key", "management-key", "accounts.db"  # files in the run's folder
DRAIN_S = 10.0  # open answers of a small model end within a second or two


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Ray tells which replicas there are, and the file with the token it wants for that."""

    dashboard: str
    token_file: Path


def deployment(replicas: int) -> str:
    """A deployment file (serving/config.py) for engines with the pocket model on CPU."""
    return _yaml(_deployment(replicas))


def facts() -> ModelFacts:
    """What is true of the model on those engines."""
    return facts_of(serving.config.parse(_deployment(1), "the pocket model's deployment"))


def _deployment(replicas: int) -> dict[str, object]:
    return {
        "model": "pocket",
        "preset": "cpu",
        "model_id": MODEL,
        "application": APPLICATION,
        "replicas": replicas,
        "drain": {"timeout_s": DRAIN_S},
    }


def router(*, host: str, port: int, folder: Path, cluster: Cluster) -> str:
    """A router configuration (docs/settings.md) that finds those engines through Ray and follows their caches.

    Keys are read from the folder, the ledger is kept in it.
    """
    told = facts()
    pool = {
        "name": "pocket-on-this-machine",
        "upstream_model": MODEL,
        "vocabulary": str(VOCABULARY),
        "quantization": told.quantization,
        # Nothing is paid for here; a price lets `usage.cost` be seen, at what small hosted models cost.
        "price": {"prompt": 0.1, "completion": 0.3},
        "discovery": {
            "kind": "ray",
            "dashboard": cluster.dashboard,
            "application": APPLICATION,
            "token": {"file": str(cluster.token_file)},
        },
    }
    model = {
        "id": MODEL,
        "name": "Tramontane pocket",
        "description": "A tiny trained model of Mistral Small 3.1's architecture; runs on a CPU.",
        "context_length": told.context_length,
        "input_modalities": [*told.input_modalities],
        "images_per_request": told.images_per_request,
        "default_parameters": dict(told.sampling) or None,
        "pools": [pool],
    }
    return _yaml(
        {
            "listen": {"host": host, "port": port, "drain_s": DRAIN_S},
            "keys": [{"name": "local", "secret": {"file": str(folder / API_KEY)}}],
            "database": {"url": {"value": f"sqlite:///{folder / DATABASE}"}},
            "accounts": {"bootstrap": {"file": str(folder / MANAGEMENT_KEY)}},
            "ledger": {"spool": {"directory": str(folder / "spool")}},
            "models": [model],
            "limits": {"images": told.images_per_request},
        }
    )


def _yaml(values: dict[str, object]) -> str:
    text: str = yaml.safe_dump(values, sort_keys=False)
    return text
