"""`python -m deploy.audit LOCK…`: are there known vulnerabilities in what the locks name?

pip-audit asks; here is decided what its answers are worth. A service that knows nothing of a package says the same as
one that knows of no fault in it, so it is asked first about a release that is known to have one. If it does not tell,
nothing that it says counts, and that is said aloud: exit status 0, or 3 with `--required`, for a release.

A vulnerability that does not concern us, or that has no fix yet, may stand in `deploy/audit-ignore.txt`: its id, the
day until which that holds, and why. After that day it fails again.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from deploy.problem import Problem

CANARY = "h11==0.14.0"  # CVE-2025-43859, request smuggling: every service has known it since April 2025
IGNORED = Path("deploy/audit-ignore.txt")
TIMEOUT_S = 300.0  # of one lock: a question per package, each within pip-audit's own 15 s, mostly at 0.1

Ask = Callable[[Path], dict[str, Any] | None]  # pip-audit's report on a file of requirements; None: it has none


class Status(IntEnum):
    """Of the process."""

    CLEAN = 0
    VULNERABLE = 1
    WRONG = 2  # the file of exemptions, or the arguments
    UNREACHABLE = 3  # and an answer was required


@dataclass(frozen=True, slots=True)
class Finding:
    """One known vulnerability in one package."""

    package: str
    version: str
    ids: tuple[str, ...]  # the service's first, then other names of the same
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        fixed = ", ".join(self.fixed_in) or "no release yet"
        return f"{self.package} {self.version}: {' = '.join(self.ids)}; fixed in {fixed}"


@dataclass(frozen=True, slots=True)
class Exemption:
    """A vulnerability that is known and borne until a day."""

    id: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What a report says."""

    findings: tuple[Finding, ...]
    unaudited: tuple[str, ...]  # packages that the service does not know


def read_exemptions(text: str) -> tuple[Exemption, ...]:
    """Lines of `ID YYYY-MM-DD reason`; `#` begins a comment.

    Raises:
        Problem: naming the line that is none.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].strip().split(maxsplit=2)
        if not words:
            continue
        try:
            id_, until, reason = words
            found.append(Exemption(id_, date.fromisoformat(until), reason))
        except ValueError:
            raise Problem(f"{IGNORED} line {number}: must be an id, a day (YYYY-MM-DD) and a reason") from None
    return tuple(found)


def read_report(report: dict[str, Any]) -> Audit:
    """Read pip-audit's JSON."""
    findings, unaudited = [], []
    for each in report["dependencies"]:
        if "skip_reason" in each:
            unaudited.append(each["name"])
        for fault in each.get("vulns", ()):
            ids = dict.fromkeys([fault["id"], *fault.get("aliases", ())])
            findings.append(Finding(each["name"], each["version"], tuple(ids), tuple(fault["fix_versions"])))
    return Audit(tuple(findings), tuple(unaudited))


def open_findings(findings: Iterable[Finding], exemptions: Iterable[Exemption], today: date) -> tuple[Finding, ...]:
    """Those that no exemption covers today."""
    borne = {each.id for each in exemptions if today <= each.until}
    return tuple(finding for finding in findings if not borne & set(finding.ids))


def audit(
    locks: Sequence[Path], exemptions: Sequence[Exemption], today: date, ask: Ask, tell: Callable[[str], None]
) -> Status:
    """Audit locks and tell about each. UNREACHABLE if no answer could be had."""
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary.txt"
        canary.write_text(f"{CANARY}\n")
        report = ask(canary)
    if report is None or not read_report(report).findings:
        tell(
            "audit: NOTHING WAS AUDITED: the vulnerability service cannot be reached, or knows nothing"
            f" (it told no fault of {CANARY})"
        )
        return Status.UNREACHABLE
    is_clean = True
    for lock in locks:
        report = ask(lock)
        if report is None:
            tell(f"audit: NOTHING WAS AUDITED of {lock}: the vulnerability service ceased to answer")
            return Status.UNREACHABLE
        found = read_report(report)
        faults = open_findings(found.findings, exemptions, today)
        is_clean &= not faults
        packages = len(report["dependencies"])
        tell(f"audit: {lock}: {packages - len(found.unaudited)} of {packages} packages, {len(faults)} open findings")
        for fault in faults:
            tell(f"  {fault}")
        if found.unaudited:
            tell(f"  not known to the service, so not audited: {', '.join(found.unaudited)}")
    return Status.CLEAN if is_clean else Status.VULNERABLE


def pip_audit(requirements: Path, options: Sequence[str]) -> dict[str, Any] | None:
    """Have pip-audit ask about a file of pinned requirements. Nothing is installed or resolved."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(requirements), "--disable-pip", "--no-deps"]
    command += ["--format", "json", "--progress-spinner", "off", *options]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT_S)
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report


def main(argv: Sequence[str], today: date) -> int:
    """Audit; returns the process's status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.audit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("locks", nargs="+", type=Path, metavar="LOCK")
    parser.add_argument("--service", choices=["pypi", "osv"], default="pypi", help="who is asked (default: pypi)")
    parser.add_argument("--osv-url", metavar="URL", help="of another service that speaks OSV's API")
    parser.add_argument("--ignored", type=Path, default=IGNORED, metavar="FILE")
    parser.add_argument("--required", action="store_true", help="fail when the service cannot be reached")
    arguments = parser.parse_args(argv)
    options = ["-s", arguments.service, *(["--osv-url", arguments.osv_url] if arguments.osv_url else [])]
    try:
        exemptions = read_exemptions(arguments.ignored.read_text(encoding="utf-8"))
    except (OSError, Problem) as error:
        print(f"audit: {error}", file=sys.stderr)
        return Status.WRONG
    status = audit(arguments.locks, exemptions, today, lambda file: pip_audit(file, options), print)
    return Status.CLEAN if status is Status.UNREACHABLE and not arguments.required else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], datetime.now(UTC).date()))
