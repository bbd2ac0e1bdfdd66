"""`python -m deploy.chart.crds fetch`: schemas of the custom objects of the chart, to check them without a cluster.

Each is a file of its project's release, known by its sha256: what answers with anything else is refused. They are kept
in `.tramontane/crds`; what lies there already and is right is not asked for again. `python -m deploy.chart.crds list`
says what would be fetched from where.
"""

import argparse
import hashlib
import sys
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.problem import Problem

FOLDER = Path(__file__).parents[2] / ".tramontane" / "crds"
TIMEOUT_S = 60.0  # of one file
LARGEST = 16 * 1024 * 1024  # bytes; the largest of them, KubeRay's, has 4 MB

Get = Callable[[str], bytes]  # the body at a URL; raises OSError


@dataclass(frozen=True, slots=True)
class Release:
    """One project's release."""

    repository: str
    tag: str
    folder: str
    files: tuple[tuple[str, str], ...]  # names with their sha256

    def url(self, name: str) -> str:
        return f"https://raw.githubusercontent.com/{self.repository}/{self.tag}/{self.folder}/{name}"


RELEASES = (
    Release(
        "ray-project/kuberay",
        "v1.7.0",
        "ray-operator/config/crd/bases",
        (
            ("ray.io_rayclusters.yaml", "c44704442eef0c6721ad40c1d66782c8bd3fdab9d3344306a5820910a679baa1"),
            ("ray.io_rayservices.yaml", "0a8fc325e6e22b9231c1f282b309555e2ecf94227ca20a03df3d1d9a403907ab"),
        ),
    ),
    Release(
        "prometheus-operator/prometheus-operator",
        "v0.93.0",
        "example/prometheus-operator-crd",
        (
            (
                "monitoring.coreos.com_podmonitors.yaml",
                "45a93443daa687d3654f7e9631909ff7edcdf3ec09c5e60251b74aa2722aee5d",
            ),
            (
                "monitoring.coreos.com_prometheusrules.yaml",
                "78be98554b9c8506ab2b4f4feb91c5f3a56e536a0a510f3a8e876a459970d56d",
            ),
            (
                "monitoring.coreos.com_servicemonitors.yaml",
                "a99047972c9dd7679ce2050b9968e8a08773492e671b3e17abd476d42aa78a32",
            ),
        ),
    ),
    Release(
        "kedacore/keda",
        "v2.20.2",
        "config/crd/bases",
        (
            ("keda.sh_scaledobjects.yaml", "af35555862a83933b074af14ad439c4b4ceabaf4daa3e9338e9b23e36d308d80"),
            ("keda.sh_triggerauthentications.yaml", "275307b4cb19ca8f0f506a879282aa4c67587ac16ec757f494d6585c5c185d65"),
        ),
    ),
    Release(
        "kubernetes-sigs/gateway-api",
        "v1.6.1",
        "config/crd/standard",
        (
            (
                "gateway.networking.k8s.io_gateways.yaml",
                "25b885f5870b8fff1ae82efa2628b2761cef3745900c2aecf8fb76629a01255a",
            ),
            (
                "gateway.networking.k8s.io_httproutes.yaml",
                "a424a0d6c953b162e71d1d97bb7e75012d8f1ac264e7274f2763d1b96ab39852",
            ),
        ),
    ),
    Release(
        "kubernetes-sigs/gateway-api-inference-extension",
        "v1.6.0",
        "config/crd/bases",
        (
            (
                "inference.networking.k8s.io_inferencepools.yaml",
                "55e0dbf39c50c4bbdd60106493a4573df4bb44479f9ce46762f1af718883e5cd",
            ),
        ),
    ),
)


def fetch(folder: Path, get: Get, releases: Sequence[Release] = RELEASES) -> int:
    """Put into `folder` what is not there yet. Returns how many were fetched.

    Raises:
        Problem: nobody answers, or with another file than the known one; nothing of it is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fetched = 0
    for release in releases:
        for name, digest in release.files:
            file = folder / name
            if file.exists() and _digest(file.read_bytes()) == digest:
                continue
            url = release.url(name)
            try:
                body = get(url)
            except OSError as error:
                raise Problem(f"{url}: {error}") from None
            if _digest(body) != digest:
                raise Problem(
                    f"{url}: its sha256 is {_digest(body)}, not {digest}: this is not the file of the release"
                )
            part = file.with_suffix(".part")
            part.write_bytes(body)
            part.replace(file)
            fetched += 1
    return fetched


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        body: bytes = answer.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise OSError(f"more than {LARGEST} bytes")
    return body


def main(arguments: Sequence[str] | None = None, get: Get = _get) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.chart.crds", description=__doc__)
    parser.add_argument("verb", choices=["fetch", "list"])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    given = parser.parse_args(arguments)
    if given.verb == "list":
        for release in RELEASES:
            for name, digest in release.files:
                print(digest, release.url(name))
        return 0
    try:
        fetched = fetch(given.folder, get)
    except Problem as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{fetched} fetched; all are in {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
