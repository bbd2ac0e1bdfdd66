"""`tramontane ledger check`: the ledger's tokens against the engines' own counters."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.cli.options import whole_number
from deploy.cli.screen import Screen, table
from deploy.ledger_check import Balance, Slack, balances
from deploy.problem import Problem
from router.config import ConfigError, load
from router.policy.key import NANO
from router.store.away import DatabaseAway
from router.store.database import open_database
from router.store.lost_attempts import lost_attempts
from router.store.meter import MeterStore
from router.store.migrate import SchemaUnknown
from router.store.settings import DatabaseSettings
from router.store.sums import Difference, SumStore
from router.store.url import parse

DESCRIPTION = """\
Hold the ledger against what the engines themselves have counted (vllm:generation_tokens_total, as routers read it),
pool by pool. Exit status 0: every difference is explained. 1: one is not, or the database cannot be read.

examples:
  tramontane ledger check --config router.yaml
  tramontane ledger check --config router.yaml --since 2026-11-01 --until 2026-12-01 --spending
  TRAMONTANE_DATABASE_URL=postgresql://… tramontane ledger check --since 2026-11-26T14:00+01:00 --slack 64

columns:
  ENGINES     tokens that the pool's engines generated; -: nobody knows, and the pool is not judged
  LEDGER      tokens in its rows, the sum of the next two:
  EXACT       of rows that the engine counted; COUNTED: of rows that the router counted, because the answer was cut
              short
  DIFFERENCE  ENGINES less LEDGER
  CUT         answers that were cut short, and attempts, in whatever pool, that were given up for another
  ALLOWED     --slack for each of these: what an engine may have generated before it stopped
  VERDICT     ok; AHEAD: engines generated more than rows explain (somebody uses them past the router, or rows are
              missing); BEHIND: the ledger holds more than engines counted (an engine died with tokens that nobody had
              read: --missed; or rows count twice)

The routers' own probes of endpoints that had failed are the engines' work without a row: one token each. Counters are
kept by the hour and requests belong to the moment they arrived, so let a period begin and end at a full hour, and
better when little was under way; the latest seconds may still be on their way into the database.
"""
HEAD = ("POOL", "ENGINES", "LEDGER", "EXACT", "COUNTED", "DIFFERENCE", "CUT", "ALLOWED", "VERDICT")
DATABASE_VARIABLE = "TRAMONTANE_DATABASE_URL"
_PATIENT = DatabaseSettings(statement_s=600.0, call_s=600.0)  # sums over millions of rows take minutes
_MOST_SHOWN = 20  # windows whose sums are wrong: the rest is counted


@dataclass(frozen=True, slots=True)
class Report:
    """What was found."""

    balances: Sequence[Balance]
    spending: Sequence[Difference] | None  # None: not asked for

    @property
    def is_explained(self) -> bool:
        return all(each.is_explained for each in self.balances) and not self.spending


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("action", choices=("check",), help="what to do")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--config", metavar="FILE", type=Path, help="the router's configuration, which names the database"
    )
    where.add_argument(
        "--database",
        metavar="URL",
        help=f"the database; others on the machine can read it here, so with a password better in {DATABASE_VARIABLE}",
    )
    for name, which in (("since", "from this moment on (default: the beginning)"), ("until", "before this moment")):
        parser.add_argument(
            f"--{name}",
            metavar="TIME",
            type=moment,
            help=f"only requests that arrived {which}; ISO 8601, UTC unless it says otherwise",
        )
    parser.add_argument(
        "--slack",
        metavar="TOKENS",
        type=whole_number(0, 1_000_000),
        default=32,
        help="tokens that an engine may be ahead for each answer that was cut short (default: 32)",
    )
    parser.add_argument(
        "--missed",
        metavar="TOKENS",
        type=whole_number(0, 1_000_000_000),
        default=0,
        help="tokens that each pool's engines may have counted unseen before they died (default: 0)",
    )
    parser.add_argument(
        "--spending",
        action="store_true",
        help="also hold what is noted as spent against the rows of the whole ledger, which reads all of it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table.

    Raises:
        Problem: there is no such database, or it does not answer.
    """
    try:
        report = asyncio.run(
            read(
                _url(arguments),
                since=arguments.since or 0.0,
                until=float("inf") if arguments.until is None else arguments.until,
                slack=Slack(arguments.slack, arguments.missed),
                spending=arguments.spending,
            )
        )
    except (DatabaseAway, SchemaUnknown) as error:
        raise Problem(str(error)) from None
    Screen(sys.stdout).say(render(report))
    return 0 if report.is_explained else 1


async def read(url: str, *, since: float, until: float, slack: Slack, spending: bool) -> Report:
    """Times in unix seconds.

    Raises:
        DatabaseAway: as its name says.
        SchemaUnknown: it is a newer release's.
    """
    async with open_database(url, _PATIENT) as database:
        sums = SumStore(database)
        return Report(
            balances(
                await sums.by_pool(since, until),
                await MeterStore(database).increase(since, until),
                await lost_attempts(database, since, until),
                slack,
            ),
            await sums.differences() if spending else None,
        )


def render(report: Report) -> str:
    """A line for each pool, then what is wrong with sums."""
    lines = [table(HEAD, map(_cells, report.balances)) if report.balances else "the ledger is empty"]
    if report.spending is not None:
        lines += ["", *_spending(report.spending)]
    return "\n".join(lines)


def moment(text: str) -> float:
    """A type for argparse: unix seconds of an ISO 8601 time."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-11-26 or 2026-11-26T14:00+01:00") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _cells(balance: Balance) -> tuple[str, ...]:
    ledger = [f"{count:,}" for count in (balance.ledger, balance.exact, balance.inexact)]
    if balance.engines is None or balance.difference is None:
        return (balance.pool, "-", *ledger, "-", f"{balance.cut:,}", "-", "not metered")
    verdict = "ok" if balance.is_explained else "AHEAD" if balance.difference > 0 else "BEHIND"
    difference, cut = f"{balance.difference:+,}", f"{balance.cut + balance.given_up:,}"
    return (balance.pool, f"{balance.engines:,}", *ledger, difference, cut, f"{balance.allowed:,}", verdict)


def _spending(differences: Sequence[Difference]) -> list[str]:
    if not differences:
        return ["what is noted as spent is what the rows cost, in every window"]
    shown = [
        f"  {each.window.owner} {each.window.interval.value} from {datetime.fromtimestamp(each.window.start, UTC):%F}: "
        f"${each.noted / NANO:.9f} noted, rows cost ${each.rows / NANO:.9f}"
        for each in differences[:_MOST_SHOWN]
    ]
    more = [f"  and {len(differences) - _MOST_SHOWN} more"] if len(differences) > _MOST_SHOWN else []
    return [f"WRONG: {len(differences)} sums of what was spent are not what the rows cost:", *shown, *more]


def _url(arguments: argparse.Namespace) -> str:
    """
    Raises:
        Problem: there is none, or none that can be used.
    """
    if arguments.config is not None:
        url = _configured(arguments.config)
    else:
        url = arguments.database or os.environ.get(DATABASE_VARIABLE, "")
        if not url:
            raise Problem(f"which database? Give --config, --database or {DATABASE_VARIABLE}")
    try:
        path = parse(url).path
    except ValueError as error:
        raise Problem(f"the database's URL {error}") from None
    if path is not None and not path.exists():
        raise Problem(f"there is no database {path}")
    return url


def _configured(path: Path) -> str:
    try:
        database = load(path).database
        if database is None:
            raise Problem(f"{path} names no database: there is no ledger")
        return database.url.read(os.environ)
    except ConfigError as error:
        raise Problem(str(error)) from None
