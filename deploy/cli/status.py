"""`tramontane status`: what a running router serves, where, and how busy each endpoint is."""

import argparse
import os
import sys
from collections.abc import Mapping
from typing import Any

from deploy.cli.options import add_router_options, router_client
from deploy.cli.screen import Screen, table

DESCRIPTION = """\
Show a running router's models, pools and endpoints: the state of each endpoint's breaker, the requests the
router has open there, and what the engine itself reports. Where the router has a management key, it is needed:
TRAMONTANE_MANAGEMENT_KEY, or --api-key.

examples:
  tramontane status
  tramontane status --base-url https://llm.example.org/api/v1 --api-key "$KEY"

columns:
  STATE    closed: requests flow; open: stopped after failures; half-open: one request probes it;
           unprobed: the engine's metrics have not been read yet
  STREAMS  requests of this router that are open there; QUEUED: prompt tokens of these that are not computed yet
  RUN/WAIT requests the engine runs and has queued, from all routers; KV: share of its KV cache in use
"""
HEAD = ("MODEL", "POOL", "PROVIDER", "ENDPOINT", "STATE", "STREAMS", "QUEUED", "RUN/WAIT", "KV")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_router_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the table.

    Raises:
        Problem: the router does not answer.
    """
    Screen(sys.stdout).say(render(router_client(arguments, os.environ, manages=True).get("/status")))
    return 0


def render(status: Mapping[str, Any]) -> str:
    """The router's status as a table, one line an endpoint; a pool without any keeps a line."""
    rows = []
    for pool in status["pools"]:
        owner = (pool["model"], pool["name"], pool["provider"])
        if not pool["endpoints"]:
            rows.append((*owner, "none", "-", "-", "-", "-", "-"))
        rows.extend((*owner, *_cells(endpoint)) for endpoint in pool["endpoints"])
    return table(HEAD, rows)


def _cells(endpoint: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        endpoint["url"],
        endpoint["state"],
        str(endpoint["streams"]),
        str(endpoint["queued_tokens"]),
        f"{_known(endpoint.get('running'))}/{_known(endpoint.get('waiting'))}",
        _percent(endpoint.get("kv_cache_usage")),
    )


def _known(count: float | None) -> str:
    return "?" if count is None else f"{count:.0f}"


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.0f} %"
