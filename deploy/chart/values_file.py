"""The chart's values.yaml with what its comments say: the one source of README.md and of the schema.

A comment that begins with `# --` stands right above its key and is the key's text. Other comments above a key are about
the section that it opens. A mapping in braces is one value; one with a key to a line is a section.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "helm" / "tramontane"
VALUES = CHART / "values.yaml"
MARK = "-- "

# What Kubernetes' own names hold, where the file does not say it better.
KNOWN = {
    "affinity": "Kubernetes' affinity.",
    "annotations": "Annotations of what the section makes.",
    "className": "Class; empty: the cluster's default.",
    "digest": "Digest, e.g. sha256:…",
    "enabled": "Whether it is made.",
    "gatewayClassName": "Class of the Gateway that moves the traffic.",
    "host": "Host name.",
    "hostnames": "Host names that the route answers to.",
    "interval": "How often it is scraped.",
    "intervalSeconds": "Seconds between two steps.",
    "maxReplicas": "At most so many.",
    "minReplicas": "At least so many.",
    "nodeSelector": "Labels that a node must have.",
    "podAnnotations": "Annotations of the pods.",
    "podLabels": "Labels of the pods.",
    "priorityClassName": "Priority class of the pods.",
    "repository": "The image without its tag.",
    "resources": "Requests and limits of each pod.",
    "runtimeClassName": "Runtime class of the pods.",
    "size": "Size of the volume.",
    "stepPercent": "Percent of the traffic moved in a step.",
    "storageClass": "Storage class; empty: the cluster's default.",
    "surgePercent": "Percent of the new cluster made in a step.",
    "tag": "Tag of the image; empty: the chart's appVersion.",
    "tolerations": "Taints that the pods bear.",
    "topologySpreadConstraints": "How pods are spread.",
}


@dataclass(frozen=True, slots=True)
class Value:
    """One key with what it holds when nobody says anything."""

    path: tuple[str, ...]
    default: Any  # of YAML
    text: str  # of its own `# --` comment, or what is known of the name; empty: nothing
    about: str  # of other comments above it
    is_section: bool  # it holds further keys of the same kind

    @property
    def name(self) -> str:
        """As README and messages call it."""
        return ".".join(self.path)


def read(file: Path = VALUES) -> list[Value]:
    """Every key in the order of the file, sections before what they hold."""
    text = file.read_text(encoding="utf-8")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode), f"{file} holds no keys"
    return list(_below(root, (), text.splitlines()))


def _below(node: yaml.MappingNode, path: tuple[str, ...], lines: list[str]) -> Iterator[Value]:
    for key, held in node.value:
        here = (*path, str(key.value))
        text, about = _comments(lines, key.start_mark.line, key.start_mark.column)
        is_section = isinstance(held, yaml.MappingNode) and not held.flow_style and here[-1] != "resources"
        default = yaml.safe_load(yaml.serialize(held))
        known = "" if is_section else KNOWN.get(here[-1], "")
        yield Value(here, default, text or known, about, is_section)
        if is_section:
            assert isinstance(held, yaml.MappingNode)
            yield from _below(held, here, lines)


def _comments(lines: list[str], line: int, column: int) -> tuple[str, str]:
    """Text of the key, and what else is said above it."""
    found: list[str] = []
    while line and lines[line - 1].startswith(" " * column + "#"):
        line -= 1
        found.insert(0, lines[line].strip().lstrip("#").strip())
    if line == 0:
        found = []  # the head of the file is about no key
    starts = [number for number, said in enumerate(found) if said.startswith(MARK)]
    if not starts:
        return "", " ".join(found)
    return " ".join(found[starts[-1] :]).removeprefix(MARK), " ".join(found[: starts[-1]])
