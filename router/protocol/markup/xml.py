"""XML by a schema: an element for every property, called as the property, and `<item>` for each item of an array.

    object          <name>…</name> for every property that is there, in the schema's order
    array           <item>…</item> for every item
    string          its text: & < > as &amp; &lt; &gt;, a carriage return as &#13;
    number          its digits; true and false as these words
    null            an empty element with the attribute nil="true"; there are no other attributes

No declaration, comment, processing instruction, CDATA or namespace. `indent` puts elements within others on lines of
their own; white space between elements says nothing then, that within a string's element belongs to the string.
"""

from dataclasses import dataclass

from router.protocol.markup.digits import number
from router.protocol.markup.ebnf import EMPTY, any_of, literal, optional, repeated
from router.protocol.markup.formats import FORMATS
from router.protocol.markup.nodes import Constants, Items, Leaf, Number, Record, Scalar
from router.protocol.markup.plan import Plan
from router.protocol.markup.spell import spell
from router.protocol.markup.xml_text import CHARACTER, check_name, escape

_ITEM = "item"


@dataclass(frozen=True, slots=True)
class Xml:
    """Writes the rules of a document."""

    plan: Plan
    indent: bool

    def element(self, name: str, node: int, depth: int) -> str | None:
        """An element with a node's value; None: no value fits at this depth.

        Raises:
            ApiError: 400, a name or text that XML cannot hold, or the grammar grows too large.
        """
        written = []
        if (inside := self.plan.place("inside", node, depth, lambda: self._contents(node, depth))) is not None:
            written.append(f"{literal(f'<{name}>')} {inside} {literal(f'</{name}>')}")
        if self.plan.is_nullable(node):
            written.append(literal(f'<{name} nil="true"/>'))
        return any_of(written) if written else None

    def _contents(self, node: int, depth: int) -> list[str]:
        found = (self._content(leaf, kind, depth) for leaf, kind in self.plan.leaves(node))
        return [content for content in found if content is not None]

    def _content(self, leaf: int, node: Leaf, depth: int) -> str | None:
        """What is between an element's tags; None: nothing can be."""
        if isinstance(node, Record):
            return self.plan.once(leaf, depth, lambda: self._record(leaf, node, depth))
        if isinstance(node, Items):
            some = self.plan.once(leaf, depth, lambda: self._items(node, depth))
            return EMPTY if some is None and not node.least else some
        if isinstance(node, Constants) and node.values == (None,):
            return None
        return self.plan.scalar(leaf, lambda: self._scalar(leaf, node))

    def _scalar(self, leaf: int, node: Scalar) -> str:
        grammar = self.plan.grammar
        if isinstance(node, Constants):
            path = self.plan.graph.paths[leaf]
            some = [value for value in node.values if value is not None]
            texts = [escape(value, path) if isinstance(value, str) else spell(value) for value in some]
            return grammar.rule(any_of([literal(text) for text in texts]))
        if isinstance(node, Number):
            return grammar.rule(any_of(number(node)))
        if node.format:
            return grammar.rule(FORMATS[node.format])
        return repeated(grammar.rule(CHARACTER), node.least, node.most)

    def _record(self, leaf: int, node: Record, depth: int) -> str | None:
        parts = []
        for member in node.members:
            name = check_name(member.name, f"{self.plan.graph.paths[leaf]}.properties.{member.name}"[:200])
            element = self.element(name, member.node, depth + 1)
            if element is None and member.is_required:
                return None
            if element is not None:
                part = self._on_a_line(element, depth + 1)
                parts.append(part if member.is_required else optional(part))
        return self._on_a_line(" ".join(parts), depth, is_end=True) or EMPTY

    def _items(self, node: Items, depth: int) -> str | None:
        item = self.element(_ITEM, node.node, depth + 1)
        if item is None or node.most == 0:
            return None
        rule = self.plan.grammar.rule(self._on_a_line(item, depth + 1))
        some = self._on_a_line(repeated(rule, max(1, node.least), node.most), depth, is_end=True)
        return some if node.least else f"{some} | {EMPTY}"

    def _on_a_line(self, expression: str, depth: int, *, is_end: bool = False) -> str:
        """After a line's break where there is indentation, or before it at the end of what is within an element."""
        if not self.indent:
            return expression
        line = literal("\n" + "  " * depth)
        return f"{expression} {line}" if is_end else f"{line} {expression}"
