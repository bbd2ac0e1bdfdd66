"""The audit of the locks: with pip-audit itself, and a service of vulnerabilities of the test's own."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.audit import Exemption, Finding, Status, audit, open_findings, read_exemptions
from deploy.problem import Problem

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 25)
FAULT = Finding("pillow", "9.0.0", ("PYSEC-1", "CVE-2026-1"), ("9.0.1",))


def test_an_exemption_is_an_id_a_day_and_a_reason() -> None:
    text = "# of us\n\nCVE-2026-1  2026-12-01  no picture of TIFF reaches it  # see docs\n"
    assert (Exemption("CVE-2026-1", date(2026, 12, 1), "no picture of TIFF reaches it"),) == read_exemptions(text)


@pytest.mark.parametrize("line", ["CVE-2026-1", "CVE-2026-1 2026-12-01", "CVE-2026-1 soon because", "X 2026-13-01 y"])
def test_an_exemption_without_a_day_or_a_reason_is_refused(line: str) -> None:
    with pytest.raises(Problem, match="line 2: must be an id, a day"):
        read_exemptions(f"#\n{line}")


def test_an_exemption_holds_by_any_name_until_its_day_is_over() -> None:
    assert () == open_findings([FAULT], [Exemption("CVE-2026-1", TODAY, "x")], TODAY)
    assert (FAULT,) == open_findings([FAULT], [Exemption("CVE-2026-1", date(2026, 11, 24), "x")], TODAY)
    assert (FAULT,) == open_findings([FAULT], [Exemption("CVE-2026-2", TODAY, "x")], TODAY)
    assert "pillow 9.0.0: PYSEC-1 = CVE-2026-1; fixed in 9.0.1" == str(FAULT)


def test_our_own_exemptions_can_be_read_and_none_is_for_ever() -> None:
    for each in read_exemptions((ROOT / "deploy" / "audit-ignore.txt").read_text()):
        assert each.until.year <= TODAY.year + 1


def report(*dependencies: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(dependencies), "fixes": []}


CANARY = report({"name": "h11", "version": "0.14.0", "vulns": [{"id": "X", "fix_versions": [], "aliases": ["Y"]}]})


@pytest.mark.parametrize(
    "answer",
    [None, report({"name": "h11", "skip_reason": "not found"}), report({"name": "h11", "version": "1", "vulns": []})],
    ids=["no answer", "does not know the package", "knows no fault"],
)
def test_a_service_that_does_not_know_an_old_fault_has_audited_nothing(answer: dict[str, Any] | None) -> None:
    said: list[str] = []
    assert Status.UNREACHABLE is audit([Path("lock")], (), TODAY, lambda file: answer, said.append)
    assert ["audit: NOTHING WAS AUDITED"] == [line[:26] for line in said]


def test_a_service_that_falls_silent_in_the_middle_is_no_good_news() -> None:
    said: list[str] = []
    answers = [CANARY, report(), None]
    assert Status.UNREACHABLE is audit([Path("a"), Path("b")], (), TODAY, lambda file: answers.pop(0), said.append)
    assert "NOTHING WAS AUDITED of b" in said[-1]


def test_what_the_service_does_not_know_is_told() -> None:
    said: list[str] = []
    answers = [CANARY, report({"name": "torch", "skip_reason": "?"}, {"name": "a", "version": "1", "vulns": []})]
    assert Status.CLEAN is audit([Path("lock")], (), TODAY, lambda file: answers.pop(0), said.append)
    assert [
        "audit: lock: 1 of 2 packages, 0 open findings",
        "  not known to the service, so not audited: torch",
    ] == said


@contextmanager
def service(*faulty: tuple[str, str]) -> Iterator[str]:
    """The URL of a service that speaks OSV's API and knows these releases as faulty."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = asked["package"]["name"], asked["version"]
            affected = {
                "package": {"name": name, "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
            }
            fault = {"id": f"OSV-{name}", "aliases": [f"CVE-{name}"], "summary": "a hole", "affected": [affected]}
            body = json.dumps({"vulns": [fault]} if (name, version) in faulty else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing to say."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


H11 = ("h11", "0.14.0")
HASH = f"--hash=sha256:{'0' * 64}"


def run(folder: Path, url: str, *options: str, ignored: str = "") -> tuple[int, str]:
    """Audit a lock of two packages. Returns the exit status and what was said."""
    lock, exemptions = folder / "lock.txt", folder / "ignored.txt"
    lock.write_text(f"anyio==4.16.0 {HASH}\nidna==3.20 \\\n    {HASH}\n    # via anyio\n")
    exemptions.write_text(ignored)
    command = [sys.executable, "-m", "deploy.audit", "--service", "osv", "--osv-url", url]
    command += ["--ignored", str(exemptions), *options, str(lock)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_a_lock_without_known_faults_passes(tmp_path: Path) -> None:
    with service(H11) as url:
        status, said = run(tmp_path, url, "--required")
    assert (0, True) == (status, "2 of 2 packages, 0 open findings" in said)


def test_a_known_fault_fails_unless_it_is_exempted(tmp_path: Path) -> None:
    with service(H11, ("idna", "3.20")) as url:
        status, said = run(tmp_path, url)
        assert 1 == status
        assert "idna 3.20: CVE-idna = OSV-idna; fixed in 99" in said
        assert 0 == run(tmp_path, url, ignored="CVE-idna 2999-01-01 no names of hosts come from outside")[0]
        assert 1 == run(tmp_path, url, ignored="CVE-idna 2025-01-01 it was so once")[0]


def test_a_service_that_is_away_is_said_aloud_and_fails_only_where_it_is_required(tmp_path: Path) -> None:
    with service() as url:
        pass  # its port is closed again
    for options, expected in (((), 0), (("--required",), 3)):
        status, said = run(tmp_path, url, *options)
        assert expected == status
        assert "NOTHING WAS AUDITED" in said


def test_a_broken_file_of_exemptions_is_no_audit(tmp_path: Path) -> None:
    status, said = run(tmp_path, "http://127.0.0.1:9", ignored="CVE-1")
    assert (2, True) == (status, "line 1: must be an id, a day" in said)
