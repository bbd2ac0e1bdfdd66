"""`response_format` of type xml and yaml: a JSON schema to a grammar of which every text is valid.

The time is linear in the grammar, whose size is bounded. Cut off by `max_tokens`, an answer is of course not whole: its
`finish_reason` is `length` then.
"""

from collections.abc import Mapping

from router.protocol.circles import circles
from router.protocol.errors import invalid
from router.protocol.limits import Limits
from router.protocol.markup.choices import Choices
from router.protocol.markup.ebnf import Grammar
from router.protocol.markup.nodes import Choice, Graph, Items, Record
from router.protocol.markup.plan import Plan
from router.protocol.markup.read_schema import read_schema
from router.protocol.markup.xml import Xml
from router.protocol.markup.xml_text import check_name
from router.protocol.markup.yaml import Yaml
from router.protocol.schema import check_schema

KINDS = ("xml", "yaml")
_ROOT = "answer"


def compile_markup(value: Mapping[str, object], path: str, limits: Limits) -> str:
    """The grammar, in GBNF.

    Args:
        value: `type`, `schema`, and for XML `root` (a name) and `indent` (true or false).
        path: of `value` in the request.
        limits: how large all may be.

    Raises:
        ApiError: 400, naming what is wrong, or what a grammar could not keep.
    """
    is_xml = value.get("type") == "xml"
    for name in value:
        if name not in (("type", "schema", "root", "indent") if is_xml else ("type", "schema")):
            raise invalid(f"{path}.{name}"[:200], f"is not a field of this type, {value.get('type')}")
    root, indent = value.get("root", _ROOT), value.get("indent", False)
    if not isinstance(root, str):
        raise invalid(f"{path}.root", "must be a string")
    if not isinstance(indent, bool):
        raise invalid(f"{path}.indent", "must be true or false")
    check_name(root, f"{path}.root")
    path = f"{path}.schema"
    schema = value.get("schema")
    check_schema(schema, path, limits)
    graph = read_schema(schema, path, limits)
    plan = Plan(graph, Choices(graph, limits), Grammar(path, limits), limits)
    written = Xml(plan, indent).element(root, 0, 0) if is_xml else Yaml(plan).value(0, 0)
    if written is None or (plan.was_cut and not _has_circles(graph)):
        problem = f"no answer within {limits.markup_depth} levels of objects and arrays can hold all that is asked for"
        raise invalid(path, problem, limit="markup_depth")
    return plan.grammar.text(written)


def _has_circles(graph: Graph) -> bool:
    edges: list[tuple[int, ...]] = []
    for node in graph.nodes:
        match node:
            case Choice():
                edges.append(node.nodes)
            case Record():
                edges.append(tuple(member.node for member in node.members))
            case Items():
                edges.append((node.node,))
            case _:
                edges.append(())
    return any(len(circle) > 1 or circle[0] in edges[circle[0]] for circle in circles(edges))
