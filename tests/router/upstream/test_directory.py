"""Who is there, who is told when somebody leaves, and when a figure is too old to count."""

from router.policy.catalog import Endpoint, EndpointId
from router.protocol.engine_metrics import EngineMetrics
from router.upstream.directory import Directory

A, B, C = (Endpoint(EndpointId(name), f"http://{name}") for name in "abc")
BUSY = EngineMetrics(running=3, waiting=1)


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def with_listener(directory: Directory) -> list[EndpointId]:
    gone: list[EndpointId] = []
    directory.on_removed(gone.append)
    return gone


def test_an_unknown_pool_has_no_endpoints() -> None:
    assert () == Directory(clock=Time()).endpoints("p")


def test_endpoints_are_those_last_given_each_once_in_order() -> None:
    directory = Directory(clock=Time())
    directory.replace("p", [B, A, B])
    directory.replace("q", [C, A])
    assert ((B, A), (C, A)) == (directory.endpoints("p"), directory.endpoints("q"))
    assert (B, A, C) == directory.all()


def test_listeners_hear_who_left() -> None:
    directory = Directory(clock=Time())
    first, second = with_listener(directory), with_listener(directory)
    directory.replace("p", [A, B])
    assert [] == first
    directory.replace("p", [B, C])
    assert ["a"] == first == second


def test_listeners_hear_who_came_each_once() -> None:
    directory = Directory(clock=Time())
    came: list[EndpointId] = []
    directory.on_added(came.append)
    directory.replace("p", [A])
    directory.replace("q", [A, B])
    assert ["a", "b"] == came


def test_listeners_hear_what_engines_say() -> None:
    directory = Directory(clock=Time())
    said: list[tuple[Endpoint, EngineMetrics]] = []
    directory.on_seen(lambda endpoint, figures: said.append((endpoint, figures)))
    directory.replace("p", [A])
    directory.saw(A, BUSY)
    directory.saw(B, BUSY)
    assert [(A, BUSY)] == said


def test_an_endpoint_of_two_pools_has_left_when_it_is_in_neither() -> None:
    directory = Directory(clock=Time())
    gone = with_listener(directory)
    directory.replace("p", [A])
    directory.replace("q", [A])
    directory.replace("p", [])
    assert [] == gone
    directory.replace("q", [])
    assert ["a"] == gone


def test_a_listener_already_sees_the_new_endpoints() -> None:
    directory = Directory(clock=Time())
    seen: list[tuple[Endpoint, ...]] = []
    directory.on_removed(lambda _: seen.append(directory.endpoints("p")))
    directory.replace("p", [A])
    directory.replace("p", [B])
    assert [(B,)] == seen


def test_the_same_id_at_another_address_is_another_endpoint() -> None:
    directory = Directory(clock=Time())
    gone = with_listener(directory)
    directory.replace("p", [A])
    directory.saw(A, BUSY)
    moved = Endpoint(A.id, "http://elsewhere")
    directory.replace("p", [moved])
    assert ["a"] == gone
    assert directory.metrics(moved) is None


def test_a_figure_counts_until_it_is_old() -> None:
    time = Time()
    directory = Directory(clock=time, stale_after_s=5.0)
    directory.replace("p", [A, B])
    directory.saw(A, BUSY)
    assert (BUSY, None) == (directory.metrics(A), directory.metrics(B))
    time.now = 5.0
    assert BUSY == directory.metrics(A)
    time.now = 5.1
    assert directory.metrics(A) is None


def test_a_figure_of_an_endpoint_that_has_left_is_forgotten() -> None:
    directory = Directory(clock=Time())
    directory.replace("p", [A])
    directory.saw(A, BUSY)
    directory.replace("p", [])
    directory.saw(A, BUSY)
    directory.replace("p", [A])
    assert directory.metrics(A) is None


def test_a_directory_can_be_looked_at() -> None:
    directory = Directory(clock=Time())
    directory.replace("p", [A, B])
    assert "Directory({'p': 2})" == repr(directory)


def test_an_engine_that_changes_its_address_in_one_of_two_pools_is_new_after_it_was_gone() -> None:
    directory = Directory(clock=lambda: 0.0)
    told: list[str] = []
    directory.on_added(lambda who: told.append(f"added {who}"))
    directory.on_removed(lambda who: told.append(f"removed {who}"))
    old, new = Endpoint(EndpointId("e"), "http://10.0.0.1"), Endpoint(EndpointId("e"), "http://10.0.0.2")
    for pool, endpoint in (("a", old), ("b", old), ("a", new), ("b", new)):
        directory.replace(pool, [endpoint])
    assert ["added e", "added e", "removed e", "added e"] == told


def test_a_pool_that_is_dropped_is_unknown_and_those_leave_who_are_nowhere_else() -> None:
    directory = Directory(clock=Time())
    gone = with_listener(directory)
    directory.replace("p", [A, B])
    directory.replace("q", [A])
    directory.saw(A, BUSY)
    directory.drop("p")
    assert ((), ["b"], BUSY) == (directory.endpoints("p"), gone, directory.metrics(A))
    directory.drop("never there")
    assert "Directory({'q': 1})" == repr(directory)


def test_who_goes_on_at_another_address_in_another_pool_is_not_forgotten() -> None:
    directory = Directory(clock=Time())
    gone = with_listener(directory)
    directory.replace("p", [A])
    directory.replace("q", [Endpoint(A.id, "http://elsewhere")])
    directory.drop("p")
    assert [] == gone
