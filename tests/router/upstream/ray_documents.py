"""Answers of Ray Serve's REST API, as Ray 2.60 writes them, cut to what describes replicas and targets.

`test_ray_schema.py` holds them against Ray's own classes.
"""

import json
from typing import Any

APPLICATION = "mistral"
PROXY = {"ip": "10.0.0.1", "port": 8000, "instance_id": "i-1", "name": "SERVE_CONTROLLER_ACTOR:SERVE_PROXY_ACTOR-abc"}
EMPTY: dict[str, Any] = {"controller_info": {}, "proxies": {}, "applications": {}, "target_capacity": None}


def actor(name: str, application: str = APPLICATION) -> str:
    return f"SERVE_REPLICA::{application}#LLMServer#{name}"


def target(name: str, ip: str = "10.0.0.2", port: int = 30000, application: str = APPLICATION) -> dict[str, Any]:
    """The direct door of a replica."""
    return {"ip": ip, "port": port, "instance_id": "i-2", "name": actor(name, application)}


def group(targets: list[dict[str, Any]], *, application: str = APPLICATION, protocol: str = "HTTP") -> dict[str, Any]:
    return {
        "targets": targets,
        "route_prefix": "/",
        "protocol": protocol,
        "app_name": application,
        "ingress_request_router_targets": [],
        "ingress_deployment_name": "LLMServer",
    }


def replica(name: str, state: str = "RUNNING", application: str = APPLICATION) -> dict[str, Any]:
    return {
        "node_id": "n-1",
        "node_ip": "10.0.0.2",
        "node_instance_id": "i-2",
        "actor_id": "a-1",
        "actor_name": actor(name, application),
        "worker_id": "w-1",
        "log_file_path": None,
        "replica_id": name,
        "state": state,
        "pid": 1,
        "start_time_s": 1700000000.0,
    }


def application(replicas: list[dict[str, Any]]) -> dict[str, Any]:
    return {"deployments": {"LLMServer": {"replicas": replicas}}}


def document(applications: dict[str, Any], groups: list[dict[str, Any]], by: dict[str, Any] | None = None) -> bytes:
    """The whole answer, by this controller."""
    told = {"applications": applications, "target_groups": groups, "controller_info": by or {}}
    return json.dumps({**EMPTY, **told}).encode()


def controller(process: str, actor: str = "c-1") -> dict[str, Any]:
    """Serve's controller. Restarted, it is another process of the same actor; after a shutdown, another actor."""
    return {
        "node_id": "n-0",
        "node_ip": "10.0.0.1",
        "node_instance_id": "i-0",
        "actor_id": actor,
        "actor_name": "SERVE_CONTROLLER_ACTOR",
        "worker_id": process,
        "log_file_path": None,
    }


def running(*names: str, by: dict[str, Any] | None = None) -> bytes:
    """An application of which these replicas run: a on port 30000, b on 30001, and so on."""
    targets = [target(name, port=30000 + ord(name) - ord("a")) for name in names]
    return document({APPLICATION: application([replica(name) for name in names])}, [group(targets)], by)
