"""What a test proves: routes of paths.yaml, by which the compatibility page says that they are there."""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])
_ATTRIBUTE = "proves"


def proves(*routes: str) -> Callable[[Test], Test]:
    """Marks a test that fails if one of these routes is not as OpenRouter's clients expect it."""

    def mark(test: Test) -> Test:
        setattr(test, _ATTRIBUTE, (*getattr(test, _ATTRIBUTE, ()), *routes))
        return test

    return mark


def proven(modules: Iterable[ModuleType]) -> dict[str, list[str]]:
    """The names of the tests that prove each route."""
    found: dict[str, list[str]] = {}
    for module in modules:
        for name, value in vars(module).items():
            if name.startswith("test_"):
                for route in getattr(value, _ATTRIBUTE, ()):
                    found.setdefault(route, []).append(name)
    return found
