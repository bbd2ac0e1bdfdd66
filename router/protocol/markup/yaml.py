"""YAML by a schema: block style with two spaces of indentation, in the core that YAML 1.1 and 1.2 share.

    object          key: value, on a line for every property that is there, in the schema's order; {} for none
    array           - value, on a line for every item; [] for none
    string          in double quotes, on one line
    number          its digits; true, false and null as these words

What is in an object or array begins on a new line after a key, and on the same line after a dash. No documents' marks,
comments, anchors, tags or block strings.
"""

from dataclasses import dataclass
from functools import partial

from router.protocol.markup.digits import number
from router.protocol.markup.ebnf import any_of, literal, repeated
from router.protocol.markup.formats import FORMATS
from router.protocol.markup.nodes import Constants, Items, Number, Record, Scalar
from router.protocol.markup.plan import Plan
from router.protocol.markup.spell import spell
from router.protocol.markup.yaml_text import CHARACTER, key, quoted

_QUOTE = literal('"')


@dataclass(frozen=True, slots=True)
class _Forms:
    """How a value may look: on the line it begins on, and in lines of its own."""

    inline: list[str]
    blocks: list[str]


@dataclass(frozen=True, slots=True)
class Yaml:
    """Writes the rules of a document."""

    plan: Plan

    def value(self, node: int, depth: int) -> str | None:
        """A value at the beginning of the document or after a dash; None: none fits at this depth.

        Raises:
            ApiError: 400, a key is too long, or the grammar grows too large.
        """
        return self.plan.place("value", node, depth, lambda: self._values(node, depth))

    def _values(self, node: int, depth: int) -> list[str]:
        forms = self._forms(node, depth)
        return forms.inline + forms.blocks

    def _after_key(self, node: int, depth: int) -> list[str]:
        forms = self._forms(node, depth)
        line = literal("\n" + "  " * depth)
        return [f'" " {each}' for each in forms.inline] + [f"{line} {each}" for each in forms.blocks]

    def _forms(self, node: int, depth: int) -> _Forms:
        forms = _Forms([], [])
        for leaf, kind in self.plan.leaves(node):
            if not isinstance(kind, Record | Items):
                forms.inline.append(self.plan.scalar(leaf, partial(self._scalar, kind)))
                continue
            if (block := self._block(leaf, kind, depth)) is not None:
                forms.blocks.append(block)
            if isinstance(kind, Items) and not kind.least:
                forms.inline.append(literal("[]"))
            if isinstance(kind, Record) and not any(member.is_required for member in kind.members):
                forms.inline.append(literal("{}"))
        return forms

    def _block(self, leaf: int, node: Record | Items, depth: int) -> str | None:
        if isinstance(node, Items):
            return self.plan.once(leaf, depth, lambda: self._items(node, depth))
        return self.plan.once(leaf, depth, lambda: self._record(leaf, node, depth))

    def _scalar(self, node: Scalar) -> str:
        grammar = self.plan.grammar
        if isinstance(node, Constants):
            texts = [quoted(value) if isinstance(value, str) else spell(value) for value in node.values]
            return grammar.rule(any_of([literal(text) for text in texts]))
        if isinstance(node, Number):
            return grammar.rule(any_of(number(node)))
        if node.format:
            return f"{_QUOTE} {grammar.rule(FORMATS[node.format])} {_QUOTE}"
        return f"{_QUOTE} {repeated(grammar.rule(CHARACTER), node.least, node.most)} {_QUOTE}"

    def _items(self, node: Items, depth: int) -> str | None:
        item = self.value(node.node, depth + 1)
        if item is None or node.most == 0:
            return None
        rule = self.plan.grammar.rule(f'"- " {item}')
        more = self.plan.grammar.rule(f"{literal(chr(10) + '  ' * depth)} {rule}")
        return f"{rule} {repeated(more, max(0, node.least - 1), None if node.most is None else node.most - 1)}"

    def _record(self, leaf: int, node: Record, depth: int) -> str | None:
        """At least one entry; each but the first begins a line.

        Rules in a row, one for what may follow each property that may be left out, so their number is linear.
        """
        line = literal("\n" + "  " * depth)
        entries: list[tuple[str, bool]] = []
        for member in node.members:
            path = f"{self.plan.graph.paths[leaf]}.properties.{member.name}"[:200]
            value = self.plan.place("after", member.node, depth + 1, partial(self._after_key, member.node, depth + 1))
            if value is None and member.is_required:
                return None
            if value is not None:
                entries.append((f"{literal(key(member.name, path) + ':')} {value}", member.is_required))
        tail, first = "", ""  # of the entries behind: after another one, and as the first ones
        for index, (entry, is_required) in reversed(list(enumerate(entries))):
            rule = self.plan.grammar.rule(entry)
            begun = f"{rule} {tail}".strip()
            first = begun if is_required or not first else f"{begun} | {self.plan.grammar.rule(first)}"
            follow = f"{line} {rule}" if is_required else f"({line} {rule})?"
            tail = self.plan.grammar.rule(f"{follow} {tail}".strip()) if index else ""
        return first or None
