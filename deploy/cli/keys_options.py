"""What can be said about a key on the command line, as the management API wants it."""

import argparse
import math
from datetime import datetime, timedelta
from types import MappingProxyType

from deploy.cli.options import whole_number

_MOST = 10**12  # of a rate
RATES = MappingProxyType(
    {
        "requests_per_min": "requests a minute",
        "tokens_per_min": "tokens a minute, prompts and answers together",
        "concurrent": "requests at the same time",
    }
)


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Declare what keys may and may not."""
    parser.add_argument("--limit", metavar="USD", type=dollars, help="the most it may spend")
    parser.add_argument(
        "--reset", choices=("daily", "weekly", "monthly", "never"), help="when its limit begins anew, at midnight UTC"
    )
    parser.add_argument(
        "--expires-in", metavar="DAYS", type=whole_number(1, 36_500), help="days until it is refused (default: never)"
    )
    parser.add_argument("--workspace", metavar="ID", help="the workspace it spends in")
    for name, meaning in RATES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="N", type=whole_number(1, _MOST), help=meaning)
    parser.add_argument(
        "--priority", choices=("batch", "normal", "critical"), help="the most its holder may ask for (default: normal)"
    )
    parser.add_argument("--model", metavar="SLUG", action="append", help="allow only this model; may be repeated")
    parser.add_argument("--provider", metavar="NAME", action="append", help="allow only this one; may be repeated")


def body_of(arguments: argparse.Namespace, now: datetime) -> dict[str, object]:
    """The fields of a request that the options name."""
    rates = {name: getattr(arguments, name) for name in RATES if getattr(arguments, name) is not None}
    given: dict[str, object | None] = {
        "limit": arguments.limit,
        "workspace_id": arguments.workspace,
        "priority": arguments.priority,
        "allowed_models": arguments.model,
        "allowed_providers": arguments.provider,
        "rates": rates or None,
    }
    body: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if arguments.reset is not None:
        body["limit_reset"] = None if arguments.reset == "never" else arguments.reset
    if arguments.expires_in is not None:
        body["expires_at"] = (now + timedelta(days=arguments.expires_in)).isoformat()
    return body


def dollars(text: str) -> float:
    """An amount of money."""
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount <= 9e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount in US dollars")
    return amount
