"""Choices between schemas: what each comes to, and whether `oneOf` can be kept.

`oneOf` wants a value that fits one alternative and no other. A grammar cannot look into the others, so it is let pass
where no value can fit two: other types, other constants, or objects with a required property whose constants differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from router.protocol.circles import circles
from router.protocol.errors import invalid
from router.protocol.limits import Limits
from router.protocol.markup.nodes import Choice, Constant, Constants, Graph, Leaf, Number, Record, Text
from router.protocol.markup.read_constants import key_of

Key = tuple[bool, Constant]


@dataclass(frozen=True, slots=True)
class _Sort:
    """What values of a node are like, for telling them apart."""

    kind: str
    values: frozenset[Key] | None = None  # all there are; None: any of that kind
    tags: Mapping[str, frozenset[Key]] | None = None  # of an object: constants of its required properties


class Choices:
    """The alternatives of each choice that are none themselves, in order.

    Raises:
        ApiError: 400: a choice that refers to itself, has too many alternatives, or a `oneOf` that cannot be kept.
    """

    def __init__(self, graph: Graph, limits: Limits) -> None:
        self._graph = graph
        self._limits = limits
        self._leaves: dict[int, tuple[int, ...]] = {}
        self._gather()
        for number, node in enumerate(graph.nodes):
            if isinstance(node, Choice) and node.is_one:
                self._check_one(number, node)

    def leaves(self, number: int) -> tuple[int, ...]:
        """The node itself where it is no choice."""
        return self._leaves.get(number, (number,))

    def leaf(self, number: int) -> Leaf:
        """One of those."""
        return cast(Leaf, self._graph.nodes[number])

    def _gather(self) -> None:
        nodes = self._graph.nodes
        edges = [node.nodes if isinstance(node, Choice) else () for node in nodes]
        for circle in circles(edges):
            number = circle[0]
            path = self._graph.paths[number]
            if len(circle) > 1 or number in edges[number]:
                raise invalid(path, "refers to itself and says nothing else")
            if not isinstance(nodes[number], Choice):
                continue
            found: dict[int, None] = {}
            for each in edges[number]:
                found |= dict.fromkeys(self.leaves(each))
                if len(found) > self._limits.markup_alternatives:
                    problem = f"more than {self._limits.markup_alternatives} alternatives"
                    raise invalid(path, problem, limit="markup_alternatives")
            self._leaves[number] = tuple(found)

    def _check_one(self, number: int, node: Choice) -> None:
        sorts = [[self._sort(leaf) for leaf in self.leaves(each)] for each in node.nodes]
        if len(sorts) > self._limits.markup_alternatives:
            problem = f"more than {self._limits.markup_alternatives} alternatives"
            raise invalid(self._graph.paths[number], problem, limit="markup_alternatives")
        earlier: list[_Sort] = []
        for group in sorts:
            if not all(_are_apart(one, other) for one in group for other in earlier):
                problem = "a value could fit two of oneOf; use anyOf, or a required property with a const in each"
                raise invalid(f"{self._graph.paths[number]}.oneOf", problem)
            earlier += group

    def _sort(self, number: int) -> _Sort:
        node = self.leaf(number)
        if isinstance(node, Constants):
            return _Sort("constants", frozenset(map(key_of, node.values)))
        if isinstance(node, Record):
            return _Sort("object", tags=self._tags(node))
        return _Sort("string" if isinstance(node, Text) else "number" if isinstance(node, Number) else "array")

    def _tags(self, record: Record) -> Mapping[str, frozenset[Key]]:
        tags: dict[str, frozenset[Key]] = {}
        for member in record.members:
            value = self._graph.nodes[member.node]
            if member.is_required and isinstance(value, Constants):
                tags[member.name] = frozenset(map(key_of, value.values))
        return tags


def _are_apart(one: _Sort, other: _Sort) -> bool:
    if one.values is not None and other.values is not None:
        return one.values.isdisjoint(other.values)
    if one.values is not None:
        return all(_kind(value) != other.kind for value in one.values)
    if other.values is not None:
        return all(_kind(value) != one.kind for value in other.values)
    if one.kind != other.kind:
        return True
    mine, theirs = one.tags or {}, other.tags or {}
    return any(name in theirs and mine[name].isdisjoint(theirs[name]) for name in mine)


def _kind(key: Key) -> str:
    is_flag, value = key
    if is_flag or value is None:
        return "constants"
    return "string" if isinstance(value, str) else "number"
