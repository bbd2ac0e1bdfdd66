"""Writes docs/openrouter-compatibility.md from paths.yaml: `python -m tests.conformance.page`."""

from pathlib import Path
from typing import Literal

import msgspec

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "openrouter-compatibility.md"
PATHS = Path(__file__).with_name("paths.yaml")
LEVELS = (
    ("MUST", "What clients of a router call"),
    ("SHOULD", "What a service in production wants"),
    ("OPTIONAL", "Where there is something behind it"),
    ("NO", "What only OpenRouter's own site has"),
)
HEAD = """# How far this is OpenRouter's API

Every route of OpenRouter's API as of October 2026, and whether it is here. Made by `python -m tests.conformance.page`
from [tests/conformance/paths.yaml](../tests/conformance/paths.yaml); a route that is said to be here has a test that
drives it with an official client or holds its answers against OpenRouter's own OpenAPI document, and one that is not
answers 404 in the API's shape. What each field and header does is in [the API](api.md); the router's own document is
served at `/openapi.json`.

Official clients that run unmodified in the tests, on simulated engines and on the pocket model: `openrouter` and
`openai` and `anthropic` from PyPI, `@openrouter/ai-sdk-provider` with `ai` from npm.
"""


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """One route."""

    route: str
    level: Literal["MUST", "SHOULD", "OPTIONAL", "NO"]
    state: Literal["yes", "partly", "no"]
    why: str = ""

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.route.partition(" ")[2]


def rows() -> list[Row]:
    """In the order of the file."""
    return msgspec.yaml.decode(PATHS.read_bytes(), type=list[Row])


def written() -> str:
    """The page."""
    parts = [HEAD]
    for level, words in LEVELS:
        these = [row for row in rows() if row.level == level]
        have = sum(row.state != "no" for row in these)
        parts += [f"\n## {words}: {have} of {len(these)}\n\n| route | here | |\n|---|---|---|\n"]
        parts += [f"| `{row.route}` | {row.state} | {row.why} |\n" for row in these]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(written())
