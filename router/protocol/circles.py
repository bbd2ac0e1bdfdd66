"""The strongly connected components of a graph, in time linear in its edges.

After R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1(2), 1972; without recursion,
because callers choose how deep it goes.
"""

from collections.abc import Iterator, Sequence


def circles(edges: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Nodes that lead to each other, and those that are in no circle alone; each list after all that it leads to.

    `edges`: the nodes that each node leads to.
    """
    order: dict[int, int] = {}  # in which nodes were met
    low: dict[int, int] = {}  # the earliest that each leads back to
    pending: list[int] = []  # not yet given out
    is_pending: set[int] = set()

    def enter(node: int) -> tuple[int, Iterator[int]]:
        order[node] = low[node] = len(order)
        pending.append(node)
        is_pending.add(node)
        return node, iter(edges[node])

    for start in range(len(edges)):
        work = [] if start in order else [enter(start)]
        while work:
            at, further = work[-1]
            new = None
            for to in further:
                if to not in order:
                    new = to
                    break
                if to in is_pending:
                    low[at] = min(low[at], order[to])
            if new is not None:
                work.append(enter(new))
                continue
            work.pop()
            if work:
                before = work[-1][0]
                low[before] = min(low[before], low[at])
            if low[at] == order[at]:
                circle = _pop_until(pending, at)
                is_pending.difference_update(circle)
                yield circle


def _pop_until(pending: list[int], node: int) -> list[int]:
    popped = [pending.pop()]
    while popped[-1] != node:
        popped.append(pending.pop())
    return popped
