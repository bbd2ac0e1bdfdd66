"""Rules for the chart as a whole: its version, its files, and what all of its objects have in common."""

import re
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.chart import values_file
from tests.helm.pods import pods
from tests.helm.render import CHART, EVERYTHING, ROOT, Object, parse, render, run
from tests.helm.shapes import ALL, Shape, every_shape

TEMPLATES = CHART / "templates"
FILES = sorted(TEMPLATES.rglob("*.yaml"))
TESTED_BY = {"validations": "refusals"}  # where a template's test has another name
# Templates that make one object of a kind for each of something; the rest make one at most.
FOR_EACH = {"extra-objects", "extraobjects"}
# In names of templates, for kinds that are long.
SHORT = {
    "ConfigMap": {"configmap", "vocabularies", "dashboards"},
    "HorizontalPodAutoscaler": {"hpa", "horizontalpodautoscaler"},
    "PersistentVolumeClaim": {"claim", "pvc", "persistentvolumeclaim"},
    "PodDisruptionBudget": {"pdb", "poddisruptionbudget"},
    "PodMonitor": {"monitor", "podmonitor"},
    "ServiceMonitor": {"monitor", "servicemonitor"},
}


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert (project["version"], project["version"]) == (chart["version"], chart["appVersion"])


def test_every_template_has_its_test() -> None:
    names = {file.name: TESTED_BY.get(file.stem, file.stem).replace("-", "_") for file in FILES}

    assert [] == [file for file, name in names.items() if not Path(__file__).with_name(f"test_{name}.py").exists()]


@every_shape
def test_a_template_makes_one_kind_and_is_called_after_it(shape: Shape) -> None:
    for path, objects in shape.templates().items():
        stem = Path(path).stem
        if stem in FOR_EACH or not objects:
            continue
        kinds = {thing["kind"] for thing in objects}
        assert len(kinds) == 1, f"{path}: {kinds}"
        (kind,) = kinds
        words = SHORT.get(kind, {kind.lower()})
        is_test = path.startswith("tests/")  # of `helm test`: called after what it asks
        assert is_test or words & {*stem.split("-")}, f"{path} makes a {kind}"


def test_every_template_makes_something_in_some_shape() -> None:
    made = {path for shape in ALL for path, objects in shape.templates().items() if objects}

    assert {"zz/validations.yaml"} == {file.relative_to(TEMPLATES).as_posix() for file in FILES} - made


@every_shape
def test_every_object_carries_namespace_and_labels(shape: Shape) -> None:
    for path, objects in shape.templates().items():
        for thing in objects if Path(path).stem not in FOR_EACH else []:
            name, labels = f"{path} {thing['metadata']['name']}", thing["metadata"].get("labels", {})
            assert "models" == thing["metadata"].get("namespace"), name
            assert "tramontane" == labels.get("app.kubernetes.io/instance"), name
            assert "Helm" == labels.get("app.kubernetes.io/managed-by"), name
            assert labels.get("app.kubernetes.io/component"), name
            assert all(label in labels for label in ("app.kubernetes.io/version", "helm.sh/chart")), name


@every_shape
def test_names_are_such_as_kubernetes_takes(shape: Shape) -> None:
    for thing in shape.objects():
        name = thing["metadata"]["name"]
        most = 63 if thing["kind"] in ("Service", "Job", "StatefulSet", "RayService") else 253
        assert re.fullmatch(r"[a-z]([-a-z0-9.]*[a-z0-9])?", name), name
        assert len(name) <= most, name
        for key, value in thing["metadata"].get("labels", {}).items():
            assert re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", value), f"{name}: {key}: {value}"


@every_shape
def test_no_two_objects_are_the_same(shape: Shape) -> None:
    names = [(thing["kind"], thing["metadata"]["name"]) for thing in shape.objects()]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    "shape", [each for each in ALL if each.name in ("cpu-pocket", "everything", "multi-node")], ids=str
)
def test_two_releases_in_a_namespace_have_nothing_in_common(shape: Shape) -> None:
    of_yours = {"embedder"}  # by a name of its own
    one, other = (
        [thing for thing in shape.objects(release=name) if thing["metadata"]["name"] not in of_yours]
        for name in ("one", "other")
    )

    names = [{(thing["kind"], thing["metadata"]["name"]) for thing in objects} for objects in (one, other)]
    assert set() == names[0] & names[1]
    for theirs in pods(other):
        assert [] == [_name(thing) for thing in one if any(theirs.matches(each) for each in _selectors(thing))]


def test_the_same_values_make_the_same_but_for_secrets_that_are_made_up() -> None:
    output = ["template", "tramontane", str(CHART), "--values", str(EVERYTHING)]
    one, other = ([_without_secrets(thing) for thing in parse(run(*output))] for _ in range(2))

    assert one == other


def test_a_release_with_the_longest_name_can_be_installed() -> None:
    objects = render(EVERYTHING, set={"fullnameOverride": "a" * 30}, release="r" * 53)

    assert all(len(thing["metadata"]["name"]) <= 63 for thing in objects)


def test_the_package_holds_what_belongs_to_it_and_nothing_else(tmp_path: Path) -> None:
    run("package", str(CHART), "--destination", str(tmp_path))

    (package,) = tmp_path.iterdir()
    with tarfile.open(package) as archive:
        names = {name.removeprefix("tramontane/") for name in archive.getnames()}
    at_top = {name for name in names if "/" not in name}
    assert {"Chart.yaml", "README.md", "values.yaml", "values.schema.json", ".helmignore"} == at_top
    assert {"ci", "files", "templates"} == {name.partition("/")[0] for name in names - at_top}
    suffixes = {name.rpartition(".")[2] for name in names - at_top}
    assert suffixes <= {"yaml", "tpl", "txt", "json", "png", "py"}
    assert package.stat().st_size < 1_000_000  # a release is kept in a Secret, which holds 1 MiB


def test_every_file_that_templates_read_is_there() -> None:
    texts = [file.read_text() for file in TEMPLATES.rglob("*") if file.is_file()]

    read = {name for text in texts for name in re.findall(r'Files\.Get "([^"]+)"', text)}
    assert [] == [name for name in sorted(read) if not (CHART / name).is_file()]


def test_templates_read_values_that_there_are() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    texts = {file: file.read_text() for file in TEMPLATES.rglob("*") if file.is_file()}

    read = {
        (file.name, path) for file, text in texts.items() for path in re.findall(r"\.Values((?:\.[A-Za-z]+)+)", text)
    }
    assert [] == sorted((name, path) for name, path in read if not _has(values, path.removeprefix(".").split(".")))


def test_every_value_is_read_by_a_template() -> None:
    text = "\n".join(file.read_text() for file in TEMPLATES.rglob("*") if file.is_file())

    keys = {value.path[-1] for value in values_file.read()}
    assert [] == [key for key in sorted(keys) if not re.search(rf'[.$"]{key}\b', text)]


def _has(values: Any, path: list[str]) -> bool:
    """Whether a path leads somewhere; what lies below an object that is empty by default is not known."""
    for key in path:
        if not isinstance(values, dict) or values == {}:
            return True
        if key not in values:
            return False
        values = values[key]
    return True


def _selectors(thing: Object) -> list[Any]:
    spec = thing.get("spec", {})
    if thing["kind"] == "Service":
        return [{"matchLabels": spec["selector"]}] if spec.get("selector") else []
    if thing["kind"] == "NetworkPolicy":
        return [spec["podSelector"]]
    return [spec["selector"]] if isinstance(spec.get("selector"), dict) and thing["kind"] != "ServiceMonitor" else []


def _name(thing: Object) -> str:
    return f"{thing['kind']} {thing['metadata']['name']}"


def _without_secrets(thing: Object) -> Object:
    return {
        key: value for key, value in thing.items() if thing["kind"] != "Secret" or key not in ("data", "stringData")
    }
