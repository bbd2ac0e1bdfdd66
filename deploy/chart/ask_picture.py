"""`python -m deploy.chart.ask_picture`: what `helm test` does: asks a deployment about a picture, through its routers.

The picture is a red circle, drawn as the pocket model knows pictures. Where keys are in a database there is no caller's
key to take, so one is made by the management API and deleted afterwards; it may spend a dollar and expires after a
quarter of an hour, in case this process is killed. Engines may still be starting: until `--wait` is over, every failure
is tried again, and told. A wrong answer is not: it is what the test is for.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar
from urllib.parse import quote

from deploy.problem import Problem
from deploy.router_client import RouterClient
from serving.pocket.chat import data_url
from serving.pocket.draw import Scene, draw

SIZE = 112  # pixels
KEY_LIFE = timedelta(minutes=15)
KEY_LIMIT_USD = 1
ANSWER_TOKENS = 128  # a sentence; models that think aloud first need more, and the test another question
PAUSE_S = 5.0  # between tries

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as this needs it."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long failures are taken for a start that is under way."""

    wait_s: float
    clock: Clock
    tell: Callable[[str], None]

    def until_done(self, what: Callable[[], Result]) -> Result:
        """What `what` returns. Raises Problem: its last one."""
        end = self.clock.monotonic() + self.wait_s
        while True:
            try:
                return what()
            except Problem as problem:
                if self.clock.monotonic() + PAUSE_S > end:
                    raise
                self.tell(f"{problem}; trying again")
                self.clock.sleep(PAUSE_S)


def picture() -> str:
    """A red circle as a data URL, the same every time."""
    scene = Scene(colour="red", shape="circle", count=1, spot="center", width=SIZE, height=SIZE)
    return data_url(draw(scene, Random(0)))


def body(model: str, question: str) -> dict[str, object]:
    """The chat completion that asks about it."""
    content = [{"type": "image_url", "image_url": {"url": picture()}}, {"type": "text", "text": question}]
    message = {"role": "user", "content": content}
    return {"model": model, "messages": [message], "temperature": 0, "max_tokens": ANSWER_TOKENS}


@contextmanager
def borrowed_key(manager: RouterClient, patience: Patience) -> Iterator[str]:
    """A key for the time of the block.

    Raises:
        Problem: the router makes none, or does not delete it.
    """
    wanted = {
        "name": "helm test",
        "limit": KEY_LIMIT_USD,
        "expires_at": (patience.clock.now().replace(microsecond=0) + KEY_LIFE).isoformat(),
    }
    made = patience.until_done(lambda: manager.send("POST", "/api/v1/keys", wanted))
    try:
        yield made["key"]
    finally:
        manager.send("DELETE", f"/api/v1/keys/{quote(made['data']['hash'], safe='')}")


def models_with_pictures(client: RouterClient) -> list[str]:
    """Slugs of models that take pictures, in the router's order.

    Raises:
        Problem: the router does not answer, or has none.
    """
    found = [
        model["id"]
        for model in client.get("/api/v1/models")["data"]
        if "image" in model["architecture"]["input_modalities"]
    ]
    if not found:
        raise Problem(f"{client.root} serves no model that takes pictures")
    return found


def ask(client: RouterClient, model: str, question: str) -> str:
    """The answer's text.

    Raises:
        Problem: there is none, or not the whole of it.
    """
    with client.ask(body(model, question)) as answer:
        for _ in answer:
            pass
    return answer.text


def check(client: RouterClient, models: Sequence[str], question: str, expect: str, patience: Patience) -> None:
    """Ask each of the models; none named: the first that takes pictures.

    Raises:
        Problem: one does not answer, or does not see what there is to see.
    """
    for model in models or patience.until_done(lambda: models_with_pictures(client))[:1]:
        said = patience.until_done(lambda model=model: ask(client, model, question))  # type: ignore[misc]
        patience.tell(f"{model}: {question} {said.strip()}")
        if expect.casefold() not in said.casefold():
            raise Problem(f"{model} was shown a red circle and asked {question!r}; {expect!r} is not in {said!r}")


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    given = parser().parse_args(arguments)
    patience = Patience(given.wait, clock or Clock(), lambda text: print(text, flush=True))
    try:
        if given.management_key_file is None:
            key = None if given.key_file is None else _secret(given.key_file)
            check(RouterClient(given.base_url, key), given.model, given.question, given.expect, patience)
        else:
            manager = RouterClient(given.admin_url, _secret(given.management_key_file))
            with borrowed_key(manager, patience) as key:
                check(RouterClient(given.base_url, key), given.model, given.question, given.expect, patience)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """What the command line may hold."""
    made = argparse.ArgumentParser(prog="python -m deploy.chart.ask_picture", description=__doc__)
    made.add_argument("--base-url", metavar="URL", required=True, help="where routers answer")
    made.add_argument("--admin-url", metavar="URL", help="where they are administered")
    keys = made.add_mutually_exclusive_group()
    keys.add_argument("--key-file", metavar="FILE", type=Path, help="a file that holds a caller's key")
    keys.add_argument("--management-key-file", metavar="FILE", type=Path, help="one that holds a key to make one with")
    made.add_argument("--model", metavar="SLUG", action="append", default=[], help="whom to ask; may be repeated")
    made.add_argument("--question", metavar="TEXT", default="What shape is it?", help="default: %(default)s")
    made.add_argument("--expect", metavar="TEXT", default="circle", help="that the answer holds (default: %(default)s)")
    made.add_argument("--wait", metavar="SECONDS", type=float, default=240.0, help="for engines (default: %(default)s)")
    return made


def _secret(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
