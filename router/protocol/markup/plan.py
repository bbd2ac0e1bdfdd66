"""What a writer of rules works with, and how deep answers may nest.

A rule is written for a node at a depth: indentation depends on it, and a schema that refers to itself comes to an end.
What would nest deeper than the bound is not offered: an alternative is left out, an optional property too, an array
stays empty. So no answer nests deeper than a reader's stack, and the grammar grows with nodes times depth, no faster.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from router.protocol.limits import Limits
from router.protocol.markup.choices import Choices
from router.protocol.markup.ebnf import Grammar, any_of
from router.protocol.markup.nodes import Constants, Graph, Leaf


@dataclass(slots=True)
class Plan:
    """A schema that was read, and the grammar that comes of it."""

    graph: Graph
    choices: Choices
    grammar: Grammar
    limits: Limits
    was_cut: bool = False  # something would have nested deeper
    _rules: dict[tuple[int, int], str | None] = field(default_factory=dict)
    _scalars: dict[int, str] = field(default_factory=dict)
    _nullable: dict[int, bool] = field(default_factory=dict)
    _places: dict[tuple[str, int, int], str | None] = field(default_factory=dict)

    def place(self, kind: str, number: int, depth: int, write: Callable[[], list[str]]) -> str | None:
        """One of the alternatives for a node at a kind of place, written only once; None: there are none."""
        key = (kind, number, depth)
        if key not in self._places:
            found = write()
            self._places[key] = self.grammar.rule(any_of(found)) if len(found) > 1 else found[0] if found else None
        return self._places[key]

    def scalar(self, number: int, write: Callable[[], str]) -> str:
        """The expression for a value that is no container, written only once."""
        if number not in self._scalars:
            self._scalars[number] = write()
        return self._scalars[number]

    def once(self, number: int, depth: int, write: Callable[[], str | None]) -> str | None:
        """The rule for what is in a container at that depth, written only once; None: nothing can be there."""
        if depth >= self.limits.markup_depth:
            self.was_cut = True
            return None
        if (number, depth) not in self._rules:
            body = write()
            self._rules[number, depth] = None if body is None else self.grammar.rule(body)
        return self._rules[number, depth]

    def leaves(self, number: int) -> list[tuple[int, Leaf]]:
        """The alternatives at a node, which may be itself alone."""
        return [(leaf, self.choices.leaf(leaf)) for leaf in self.choices.leaves(number)]

    def is_nullable(self, number: int) -> bool:
        """May the value at a node be null?"""
        if number not in self._nullable:
            self._nullable[number] = any(
                isinstance(node, Constants) and None in node.values for _, node in self.leaves(number)
            )
        return self._nullable[number]
