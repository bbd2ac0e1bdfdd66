import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a real engine comes after what does not, and what breaks engines comes last."""
    items.sort(
        key=lambda item: ("tests/e2e" in item.path.as_posix(), item.get_closest_marker("disruptive") is not None)
    )
