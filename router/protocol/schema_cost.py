"""What a JSON Schema comes to when its references are followed: how large it gets, and whether it ever ends.

Twenty definitions that each name the next one twice are a million subschemas to a compiler that writes them out, as are
alternatives within `allOf`, which multiply. References in a circle are rules that name each other, and are not written
out; but a circle of nothing but references says nothing, and leaves the engine without any token to choose.

The tree is cut at every subschema that a reference names. The pieces and the references between them are a graph, whose
circles count once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from router.protocol.circles import circles
from router.protocol.errors import invalid
from router.protocol.limits import Limits

Children = Callable[[dict[str, object], str], Iterator[tuple[str, object]]]
_CHOICES = ("anyOf", "oneOf")


@dataclass(slots=True, eq=False)
class _Piece:
    """A subschema that is referred to, or the whole, without the pieces below it."""

    path: str
    nodes: int = 0
    needs: list[int] = field(default_factory=list)  # other pieces, as often as they are named
    is_part_of: list[int] = field(default_factory=list)  # named where nothing else can be meant: $ref, in allOf too
    products: list[tuple[int, list[int]]] = field(
        default_factory=list
    )  # alternatives here, pieces in allOf; the root's first


def check_cost(schema: object, path: str, children: Children, limits: Limits) -> None:
    """Check a schema whose keywords are known to be good and whose tree is of bounded size.

    Raises:
        ApiError: 400: a reference leads nowhere or in a circle, or too much is written out.
    """
    pieces = _cut(schema, path, children)
    sizes: dict[int, int] = {}
    for circle in circles([piece.needs for piece in pieces]):
        within = set(circle)
        outside = sum(sizes[need] for each in circle for need in pieces[each].needs if need not in within)
        size = sum(pieces[each].nodes for each in circle) + outside
        if size > limits.schema_expanded:
            problem = f"more than {limits.schema_expanded} subschemas when references are written out"
            raise invalid(path, problem, limit="schema_expanded")
        sizes |= dict.fromkeys(circle, size)
    alternatives: dict[int, int] = {}
    for circle in circles([piece.is_part_of for piece in pieces]):
        first = pieces[circle[0]]
        if len(circle) > 1 or circle[0] in first.is_part_of:
            raise invalid(first.path, "refers to itself and says nothing else")
        alternatives[circle[0]] = _alternatives(first, first.products[0], alternatives, limits)
    for piece in pieces:
        for product in piece.products[1:]:  # of places within it, which may name any piece
            _alternatives(piece, product, alternatives, limits)


def _alternatives(piece: _Piece, product: tuple[int, list[int]], of: dict[int, int], limits: Limits) -> int:
    count, parts = product
    for part in parts:
        count = min(count * of[part], limits.schema_products + 1)  # as a number: far beyond it they only cost time
    if count > limits.schema_products:
        problem = f"allOf makes more than {limits.schema_products} alternatives"
        raise invalid(piece.path, problem, limit="schema_products")
    return count


def _cut(schema: object, path: str, children: Children) -> list[_Piece]:
    """The pieces, the whole first."""
    roots: dict[int, int] = {id(schema): 0}
    whole = _Piece(path)
    pieces, subschemas = [whole], [schema]
    targets: dict[str, int] = {}
    for reference, where in _references(schema, path, children):
        if reference in targets:
            continue
        found = resolve(schema, reference)
        if found is None:
            raise invalid(where, "refers to a place that is not there")
        if id(found) not in roots:
            roots[id(found)] = len(pieces)
            pieces.append(_Piece(where))
            subschemas.append(found)
        targets[reference] = roots[id(found)]
    for piece, root in zip(pieces, subschemas, strict=True):
        _measure(piece, root, roots, targets, children)
    return pieces


def _measure(piece: _Piece, root: object, roots: dict[int, int], targets: dict[str, int], children: Children) -> None:
    todo: list[tuple[object, bool]] = [(root, True)]
    while todo:
        node, is_root = todo.pop()
        piece.nodes += 1
        if not isinstance(node, dict):
            continue
        if is_root:
            piece.products.append(_product(node, targets, piece.is_part_of))
        elif "allOf" in node:
            piece.products.append(_product(node, targets, []))
        if isinstance(reference := node.get("$ref"), str):
            piece.needs.append(targets[reference])
        for _, child in children(node, ""):
            if isinstance(child, dict) and id(child) in roots:
                piece.needs.append(roots[id(child)])
            else:
                todo.append((child, False))


def _product(node: dict[str, object], targets: dict[str, int], parts: list[int]) -> tuple[int, list[int]]:
    """How many alternatives `allOf` makes of those at one place, and the pieces that multiply them."""
    count, todo, named = 1, [node], []
    while todo:
        part = todo.pop()
        for key in _CHOICES:
            if isinstance(choices := part.get(key), list):
                count *= len(choices)
        if isinstance(reference := part.get("$ref"), str):
            named.append(targets[reference])
        if isinstance(parts_ := part.get("allOf"), list):
            todo += [each for each in parts_ if isinstance(each, dict)]
    parts += named
    return count, named


def _references(schema: object, path: str, children: Children) -> Iterator[tuple[str, str]]:
    todo = [(schema, path)]
    while todo:
        node, where = todo.pop()
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                yield reference, f"{where}.$ref"
            todo.extend((child, f"{where}.{key}") for key, child in children(node, where))


def resolve(schema: object, reference: str) -> dict[str, object] | None:
    """The subschema that a JSON pointer (RFC 6901) in a fragment names; None: there is none."""
    pointer = unquote(reference[1:])
    node: object = schema
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(token)
        elif isinstance(node, list) and token.isdecimal() and len(token) < 6 and int(token) < len(node):
            node = node[int(token)]
        else:
            return None
    return node if isinstance(node, dict) and (not pointer or pointer[0] == "/") else None
