"""Strongly connected components."""

from hypothesis import given
from hypothesis import strategies as st

from router.protocol.circles import circles

GRAPHS = st.integers(1, 8).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), max_size=4), min_size=size, max_size=size)
)


def reachable(edges: list[list[int]], start: int) -> set[int]:
    found, todo = {start}, [start]
    while todo:
        for to in edges[todo.pop()]:
            if to not in found:
                found.add(to)
                todo.append(to)
    return found


@given(edges=GRAPHS)
def test_two_are_in_one_circle_if_each_leads_to_the_other(edges: list[list[int]]) -> None:
    given_out: list[list[int]] = list(circles(edges))
    assert sorted(range(len(edges))) == sorted(node for circle in given_out for node in circle)
    for circle in given_out:
        for node in range(len(edges)):
            is_together = node in reachable(edges, circle[0]) and circle[0] in reachable(edges, node)
            assert is_together == (node in circle)


@given(edges=GRAPHS)
def test_each_comes_after_all_that_it_leads_to(edges: list[list[int]]) -> None:
    seen: set[int] = set()
    for circle in circles(edges):
        seen.update(circle)
        assert all(to in seen for node in circle for to in edges[node])


def test_a_long_chain_needs_no_recursion() -> None:
    assert 100_000 == len(list(circles([[node + 1] for node in range(99_999)] + [[]])))
