"""Options that several commands share."""

import argparse
from collections.abc import Callable, Mapping

from deploy.router_client import RouterClient

DEFAULT_PORT = 8080
DEFAULT_BASE_URL = f"http://127.0.0.1:{DEFAULT_PORT}/api/v1"


def add_router_options(parser: argparse.ArgumentParser) -> None:
    """Which router to talk to, and as whom."""
    parser.add_argument(
        "--base-url",
        metavar="URL",
        help=f"the router's base URL (default: TRAMONTANE_BASE_URL, else {DEFAULT_BASE_URL})",
    )
    parser.add_argument("--api-key", metavar="KEY", help="the API key (default: TRAMONTANE_API_KEY)")


def router_client(
    arguments: argparse.Namespace, environment: Mapping[str, str], *, manages: bool = False
) -> RouterClient:
    """The client those options describe. `manages`: with the management key, if there is one.

    Raises:
        Problem: the base URL is none.
    """
    key = environment.get("TRAMONTANE_MANAGEMENT_KEY") if manages else None
    return RouterClient(
        arguments.base_url or environment.get("TRAMONTANE_BASE_URL") or DEFAULT_BASE_URL,
        arguments.api_key or key or environment.get("TRAMONTANE_API_KEY"),
    )


def add_stack_options(parser: argparse.ArgumentParser, *, port: int) -> None:
    """How to start the stack on this machine."""
    parser.add_argument(
        "--replicas",
        metavar="N",
        type=whole_number(1, 64),
        default=1,
        help="engines to start (default: 1; about 4 GB of memory each)",
    )
    parser.add_argument(
        "--port",
        metavar="PORT",
        type=whole_number(0, 65535),
        default=port,
        help=f"the router's port; 0: any free one (default: {port})",
    )


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A type for argparse: a number within bounds, or a sentence that names them."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read
