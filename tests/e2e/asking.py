"""Asking the router, plainly: one function for whole answers, one for streams."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from serving.pocket.evaluate import cases
from tests.e2e.fleet import Fleet

TIMEOUT_S = 180.0
AT_ONCE = 8  # requests; more only queue on two cores


@dataclass(frozen=True, slots=True)
class Asker:
    """A client of a router: bodies in, decoded answers out. Temperature is 0 unless the body says otherwise."""

    fleet: Fleet
    http: httpx.Client

    def body(self, question: str | None = None, **fields: Any) -> dict[str, Any]:
        if question is not None:
            fields["messages"] = [{"role": "user", "content": question}]
        return {"model": self.fleet.model, "temperature": 0, "max_tokens": 120, **fields}

    def response(self, question: str | None = None, **fields: Any) -> httpx.Response:
        return self.http.post("/chat/completions", json=self.body(question, **fields))

    def ask(self, question: str | None = None, **fields: Any) -> dict[str, Any]:
        """The whole answer. Raises AssertionError with the body when the status is not 200."""
        response = self.response(question, **fields)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def text(self, question: str | None = None, **fields: Any) -> str:
        content = self.ask(question, **fields)["choices"][0]["message"]["content"]
        assert isinstance(content, str)
        return content

    def chunks(self, question: str | None = None, **fields: Any) -> Iterator[dict[str, Any]]:
        """The chunks of a stream, decoded, without the closing `[DONE]`, which must be there."""
        body = self.body(question, stream=True, **fields)
        with self.http.stream("POST", "/chat/completions", json=body) as response:
            assert response.status_code == 200, response.read()
            last = ""
            for line in response.iter_lines():
                if line.startswith("data: "):
                    last = line[6:]
                    if last != "[DONE]":
                        yield json.loads(last)
            assert last == "[DONE]"

    def streamed_text(self, question: str | None = None, **fields: Any) -> str:
        deltas = (chunk["choices"][0]["delta"] for chunk in self.chunks(question, **fields))
        return "".join(delta.get("content") or "" for delta in deltas)

    def share_right(self, task: str, *, seed: int, count: int) -> float:
        """How many of a pocket model's fresh cases are answered rightly, from 0 to 1."""

        def is_right(case: Any) -> bool:
            return bool(case.is_right(self.ask(**case.body)["choices"][0]["message"]))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(is_right, cases(task, seed, count))) / count


@contextmanager
def asking(fleet: Fleet) -> Iterator[Asker]:
    """An asker whose connections are closed at the end of the block."""
    with httpx.Client(base_url=fleet.base_url, headers=fleet.headers, timeout=TIMEOUT_S) as http:
        yield Asker(fleet, http)
