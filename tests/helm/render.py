"""What the chart makes of values: the objects of one `helm template`, or what it refuses with.

Real helm does it, never a copy of its language. Renderings are kept for the session, as every test asks for some of the
same few; whoever gets one gets a copy of their own, so that no test sees what another did to it.
"""

import json
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "tramontane"
SHAPES = sorted((CHART / "ci").glob("*-values.yaml"))
EVERYTHING = Path(__file__).with_name("everything-values.yaml")
NONE: Mapping[str, object] = {}
TIMEOUT_S = 120.0  # of one helm; it takes a tenth of a second, and a loaded machine some

Object = dict[str, Any]


class Refused(AssertionError):
    """Helm, the schema or a template said no; the text is what it said."""


def helm() -> str:
    """The program that the dev extra's helm-binary installs beside Python. Raises AssertionError without it."""
    found = Path(sys.executable).with_name("helm")
    assert found.exists(), f"{found} is missing: `make setup` installs it (helm-binary of the dev extra)"
    return str(found)


def run(*arguments: str) -> str:
    """What helm says. Raises Refused with what it said against it."""
    done = subprocess.run([helm(), *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise Refused(
            f"{done.stderr.strip()}\n{done.stdout.strip()}".strip()
        )  # lint says why on the one, what on the other
    return done.stdout


def render(
    *values: Path | str | Mapping[str, Any],
    set: Mapping[str, object] = NONE,  # noqa: A002 - as helm calls it
    show_only: str | None = None,
    release: str = "tramontane",
    namespace: str = "models",
    api_versions: Sequence[str] = (),
) -> list[Object]:
    """The objects of the chart with these values, later ones above earlier ones.

    Args:
        values: files, or what such a file would hold.
        set: single values by their path, as `--set-json` takes them, e.g. {"router.replicas": 3}.
        show_only: one template alone, e.g. `templates/router-deployment.yaml`.
        release: the release's name.
        namespace: the namespace it goes to.
        api_versions: what the cluster has beside Kubernetes' own, e.g. `monitoring.coreos.com/v1`.

    Raises:
        Refused: with what helm said.
    """
    texts = tuple(_text(each) for each in values)
    made: list[Object] = pickle.loads(_rendered(texts, _sets(set), show_only, release, namespace, tuple(api_versions)))
    return made


def templates_of(
    *values: Path | str | Mapping[str, Any],
    set: Mapping[str, object] = NONE,  # noqa: A002 - as helm calls it
) -> dict[str, list[Object]]:
    """What each template makes, by its path below templates/. Raises Refused."""
    texts = tuple(_text(each) for each in values)
    made: dict[str, list[Object]] = {}
    for document in _output(texts, _sets(set), None, "tramontane", "models", ()).split("\n---\n"):
        first, _, _ = document.removeprefix("---\n").partition("\n")
        made.setdefault(first.partition("/templates/")[2], []).extend(parse(document))
    return made


def one(objects: Iterable[Mapping[str, Any]], kind: str, name: str | None = None) -> Object:
    """The one object of this kind (and name). Raises AssertionError if there is none, or another."""
    of_kind = [it for it in objects if it["kind"] == kind]
    found = [it for it in of_kind if name is None or it["metadata"]["name"] == name]
    names = ", ".join(it["metadata"]["name"] for it in of_kind) or "none"
    assert len(found) == 1, f"{len(found)} objects are a {kind} called {name or 'anything'}; there are: {names}"
    return dict(found[0])


def _sets(given: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(f"{path}={json.dumps(value)}" for path, value in given.items())


def _text(values: Path | str | Mapping[str, Any]) -> str:
    if isinstance(values, Mapping):
        return yaml.safe_dump(_plain(values))
    return Path(values).read_text(encoding="utf-8")


def _plain(value: Any) -> Any:
    """Without YAML's anchors, which two places holding one object would get."""
    return json.loads(json.dumps(value))


@cache
def _rendered(*arguments: Any) -> bytes:
    return pickle.dumps(parse(_output(*arguments)))  # a copy from it costs a tenth of copy.deepcopy


@cache
def _output(
    texts: tuple[str, ...],
    sets: tuple[str, ...],
    show_only: str | None,
    release: str,
    namespace: str,
    api_versions: tuple[str, ...],
) -> str:
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["template", release, str(CHART), "--namespace", namespace]
        for number, text in enumerate(texts):
            file = Path(folder, f"{number}.yaml")
            file.write_text(text, encoding="utf-8")
            arguments += ["--values", str(file)]
        for each in sets:
            arguments += ["--set-json", each]
        for each in api_versions:
            arguments += ["--api-versions", each]
        if show_only is not None:
            arguments += ["--show-only", show_only]
        return run(*arguments)


def parse(text: str) -> list[Object]:
    """The objects in helm's output, without empty documents."""
    return [found for found in yaml.load_all(text, Loader=_LOADER) if found]


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast
