"""`tramontane ask`: one question to a running router, the answer as it streams."""

import argparse
import base64
import json
import mimetypes
import os
import sys
from pathlib import Path

from deploy.cli.options import add_router_options, router_client
from deploy.cli.screen import Screen
from deploy.problem import Problem

DESCRIPTION = """\
Ask a running router one question and print the answer as it streams, then time to first token, speed, tokens
and cost.

examples:
  tramontane ask "What is 3 + 4?"
  tramontane ask --image picture.png "What colour is it?"
  tramontane ask --image before.png --image after.png "Which picture has more shapes?"
  tramontane ask --system "Answer in upper case." "Say good morning."
  tramontane ask --image picture.png --json-schema answer.schema.json "Describe it as JSON."
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("question", help="what to ask")
    parser.add_argument(
        "--image", metavar="FILE", type=Path, action="append", default=[], help="a picture to send; may be repeated"
    )
    parser.add_argument("--system", metavar="TEXT", help="a system prompt")
    parser.add_argument("--model", metavar="SLUG", help="the model to ask (default: the first that the router lists)")
    parser.add_argument("--json-schema", metavar="FILE", type=Path, help="answer as JSON by this JSON schema")
    parser.add_argument("--max-tokens", metavar="N", type=int, help="end the answer after so many tokens")
    parser.add_argument("--temperature", metavar="T", type=float, help="0 (the likeliest answer) to 2")
    add_router_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask and print.

    Raises:
        Problem: a file cannot be read, or the router does not answer.
    """
    client = router_client(arguments, os.environ)
    body = request_body(arguments)
    if body["model"] is None:
        models = client.models()
        if not models:
            raise Problem(f"{client.root} serves no model; see `tramontane status`")
        body["model"] = models[0]
    with client.ask(body) as answer:
        Screen(sys.stdout).stream(answer)
    return 0


def request_body(arguments: argparse.Namespace) -> dict[str, object]:
    """The chat completion the arguments describe; `model` is None if none was named.

    Raises:
        Problem: a file cannot be read or holds no JSON.
    """
    content: object = arguments.question
    if arguments.image:
        pictures = [{"type": "image_url", "image_url": {"url": data_url(path)}} for path in arguments.image]
        content = [*pictures, {"type": "text", "text": arguments.question}]
    messages: list[dict[str, object]] = [{"role": "user", "content": content}]
    if arguments.system is not None:
        messages.insert(0, {"role": "system", "content": arguments.system})
    body: dict[str, object] = {"model": arguments.model, "messages": messages}
    if arguments.max_tokens is not None:
        body["max_tokens"] = arguments.max_tokens
    if arguments.temperature is not None:
        body["temperature"] = arguments.temperature
    if arguments.json_schema is not None:
        body["response_format"] = response_format(arguments.json_schema)
    return body


def data_url(path: Path) -> str:
    """A picture file as a data URL.

    Raises:
        Problem: it cannot be read, or its name has no picture's ending.
    """
    kind = mimetypes.guess_type(path.name)[0] or ""
    if not kind.startswith("image/"):
        raise Problem(f"--image {path}: not a picture by its name; expected .png, .jpg, .webp or .gif")
    return f"data:{kind};base64,{base64.b64encode(_read(path, '--image')).decode()}"


def response_format(path: Path) -> dict[str, object]:
    """A schema file as the API wants it.

    Raises:
        Problem: it cannot be read or is no JSON.
    """
    try:
        schema = json.loads(_read(path, "--json-schema"))
    except ValueError as error:
        raise Problem(f"--json-schema {path}: not JSON: {error}") from None
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def _read(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Problem(f"{option} {path}: {error.strerror}") from None
