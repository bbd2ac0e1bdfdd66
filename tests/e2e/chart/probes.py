"""Probes as the kubelet does them: a rendered one, executed once against what runs here."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

KINDS = ("startupProbe", "livenessProbe", "readinessProbe")


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one attempt."""

    is_good: bool
    why: str = ""


@dataclass(frozen=True)
class Target:
    """A container that runs, and how it is reached."""

    container: Mapping[str, Any]
    address: str
    environment: Mapping[str, str]
    command: Callable[[Sequence[str]], list[str]] = list  # a rendered command → as it must read on this machine

    def probe(self, kind: str) -> Told:
        """One attempt at the probe of this kind, with the time that it has."""
        spec: Mapping[str, Any] = self.container[kind]
        timeout_s = float(spec.get("timeoutSeconds", 1))
        if "exec" in spec:
            return self._execute(self.command(spec["exec"]["command"]), timeout_s)
        assert "httpGet" in spec, f"no idea how to do {spec}"
        return self._get(spec["httpGet"], timeout_s)

    def noticed_within_s(self, kind: str) -> float:
        """Seconds that may pass between a hang and what Kubernetes does about it."""
        spec = self.container[kind]
        return float(spec.get("failureThreshold", 3) * (spec.get("periodSeconds", 10) + spec.get("timeoutSeconds", 1)))

    def _execute(self, command: list[str], timeout_s: float) -> Told:
        try:
            done = subprocess.run(
                command, env=self.environment, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            return Told(False, f"no end after {timeout_s:g} s")
        return Told(done.returncode == 0, (done.stdout + done.stderr).strip())

    def _get(self, asked: Mapping[str, Any], timeout_s: float) -> Told:
        ports = {each.get("name"): each["containerPort"] for each in self.container.get("ports", [])}
        port = ports[asked["port"]] if isinstance(asked["port"], str) else asked["port"]
        url = (
            f"{asked.get('scheme', 'HTTP').lower()}://{asked.get('host', self.address)}:{port}{asked.get('path', '/')}"
        )
        try:
            # no certificate is checked: the kubelet does not either
            status = httpx.get(url, timeout=timeout_s, verify=False, trust_env=False).status_code
        except httpx.HTTPError as error:
            return Told(False, repr(error))
        return Told(200 <= status < 400, f"{status} at {url}")
