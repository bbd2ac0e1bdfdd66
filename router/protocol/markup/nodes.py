"""What a schema asks for, freed of JSON Schema's words: six kinds of nodes that name each other by number.

Numbers and not references, because a schema may refer to itself.
"""

from dataclasses import dataclass
from typing import TypeAlias

Constant: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Constants:
    """One of some values; booleans and null are such."""

    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A string. `format`: a name of `formats.FORMATS`, or empty; lengths are in characters."""

    least: int
    most: int | None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two whole ones."""

    low: int
    high: int
    is_whole: bool
    is_low_excluded: bool = False
    is_high_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A property of an object. `node`: its value's number."""

    name: str
    node: int
    is_required: bool


@dataclass(frozen=True, slots=True)
class Record:
    """An object."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """An array. `node`: its items' number."""

    node: int
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several nodes; `is_one`: of no other at once."""

    nodes: tuple[int, ...]
    is_one: bool


Scalar: TypeAlias = Constants | Text | Number
Leaf: TypeAlias = Scalar | Record | Items  # no choice
Node: TypeAlias = Leaf | Choice


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes, the whole first. `paths`: where in the request each was written."""

    nodes: tuple[Node, ...]
    paths: tuple[str, ...]
