"""`tramontane keys`: make, show, change and delete the keys of a running router, over its management API.

The management key comes from the environment or a file: an argument would be seen by everybody on the machine, and
stay in the shell's history.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from deploy.cli import keys_bootstrap
from deploy.cli.keys_options import add_key_options, body_of
from deploy.cli.options import DEFAULT_BASE_URL
from deploy.cli.screen import Screen, table
from deploy.problem import Problem
from deploy.router_client import RouterClient

DESCRIPTION = """\
Make, show, change and delete the API keys of a running router that has a database.

The management key is read from TRAMONTANE_MANAGEMENT_KEY, or from the file that --key-file names. To make the first
one: tramontane keys bootstrap

examples:
  tramontane keys create "team a" --limit 50 --reset monthly --requests-per-min 600
  tramontane keys list --all
  tramontane keys update 3f1c… --priority batch --no-limit
  tramontane keys disable 3f1c…
"""
HEAD = ("NAME", "LABEL", "KIND", "STATE", "SPENT", "LIMIT", "RESET", "EXPIRES", "HASH")
KEY_VARIABLE = "TRAMONTANE_MANAGEMENT_KEY"
PAGE = 100  # keys in one answer


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    create = actions.add_parser("create", help="make a key and show it, once")
    create.add_argument("name", help="what to call it")
    create.add_argument("--management", action="store_true", help="a key that administers, and cannot infer")
    add_key_options(create)
    listing = actions.add_parser("list", help="table of the keys")
    listing.add_argument("--workspace", metavar="ID", help="of this workspace (default: the default one)")
    listing.add_argument("--all", action="store_true", help="disabled and expired ones too")
    show = actions.add_parser("show", help="all about one key but the key itself")
    update = actions.add_parser("update", help="change what a key may do; what is not named stays as it is")
    update.add_argument("--name", help="what to call it")
    update.add_argument("--no-limit", action="store_true", help="take its limit away")
    add_key_options(update)
    disable = actions.add_parser("disable", help="refuse a key from now on; may be undone")
    enable = actions.add_parser("enable", help="let a disabled key in again")
    delete = actions.add_parser("delete", help="delete a key for ever")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    bootstrap = actions.add_parser("bootstrap", help="make the first management key, without a router")
    for one in (show, update, disable, enable, delete):
        one.add_argument("hash", metavar="HASH", help="which key: the last column of `tramontane keys list`")
    for each in (create, listing, show, update, disable, enable, delete):
        _add_router_options(each)
    bootstrap.add_argument("--json", action="store_true", help="print JSON")


def _add_router_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url", metavar="URL", help=f"the router's base URL (default: TRAMONTANE_BASE_URL, else {DEFAULT_BASE_URL})"
    )
    parser.add_argument(
        "--key-file", metavar="FILE", type=Path, help=f"a file that holds the management key (default: {KEY_VARIABLE})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do what the action says.

    Raises:
        Problem: there is no management key, or the router does not do it.
    """
    screen = Screen(sys.stdout)
    if arguments.action == "bootstrap":
        keys_bootstrap.run(screen, as_json=arguments.json)
        return 0
    ACTIONS[arguments.action](_client(arguments, os.environ), arguments, screen)
    return 0


def _create(client: RouterClient, arguments: argparse.Namespace, screen: Screen) -> None:
    body = {"name": arguments.name, "is_management": arguments.management, **body_of(arguments, _now())}
    made = client.send("POST", "/api/v1/keys", body)
    if arguments.json:
        screen.say(json.dumps(made, indent=2))
        return
    screen.say(made["key"])
    screen.remark("This key is shown once: the router keeps only its hash. Keep it now.")
    screen.say(details(made["data"]))
    if arguments.management:
        screen.remark(f"It manages keys: set {KEY_VARIABLE} to it.")
    else:
        screen.remark(f'It asks: TRAMONTANE_API_KEY=… tramontane ask --base-url {client.root}/api/v1 "Hello?"')


def _list(client: RouterClient, arguments: argparse.Namespace, screen: Screen) -> None:
    query = {"include_disabled": "true", "include_expired": "true"} if arguments.all else {}
    if arguments.workspace is not None:
        query["workspace_id"] = arguments.workspace
    found: list[Mapping[str, Any]] = []
    while True:
        page = client.get("/api/v1/keys?" + urlencode(query | {"offset": len(found)}))["data"]
        found += page
        if len(page) < PAGE:
            break
    if arguments.json:
        screen.say(json.dumps(found, indent=2))
    elif found:
        screen.say(table(HEAD, [_cells(key, _now()) for key in found]))
    else:
        screen.say("There are no keys here; make one with `tramontane keys create NAME`.")


def _show(client: RouterClient, arguments: argparse.Namespace, screen: Screen) -> None:
    _tell(client.get(_path(arguments))["data"], arguments, screen)


def _update(client: RouterClient, arguments: argparse.Namespace, screen: Screen) -> None:
    body = body_of(arguments, _now())
    if arguments.name is not None:
        body["name"] = arguments.name
    if arguments.no_limit:
        if "limit" in body:
            raise Problem("--limit and --no-limit cannot both be")
        body |= {"limit": None, "limit_reset": None}
    if not body:
        raise Problem("nothing to change; see `tramontane keys update --help`")
    if isinstance(body.get("rates"), dict):  # the router takes them as a whole
        body["rates"] = client.get(_path(arguments))["data"]["rates"] | body["rates"]
    _tell(client.send("PATCH", _path(arguments), body)["data"], arguments, screen)


def _disable(client: RouterClient, arguments: argparse.Namespace, screen: Screen) -> None:
    _tell(client.send("PATCH", _path(arguments), {"disabled": True})["data"], arguments, screen)


def _enable(client: RouterClient, arguments: argparse.Namespace, screen: Screen) -> None:
    _tell(client.send("PATCH", _path(arguments), {"disabled": False})["data"], arguments, screen)


def _delete(client: RouterClient, arguments: argparse.Namespace, screen: Screen) -> None:
    if not arguments.yes:
        key = client.get(_path(arguments))["data"]
        if not sys.stdin.isatty():
            raise Problem(f"deleting {key['name']!r} cannot be undone; confirm with --yes, or `disable` it instead")
        screen.say(f"Delete {key['name']!r} ({key['label']}) for ever? Type its name:")
        if sys.stdin.readline().strip() != key["name"]:
            raise Problem("not deleted")
    answer = client.send("DELETE", _path(arguments))
    screen.say(json.dumps(answer) if arguments.json else "Deleted.")


ACTIONS: Mapping[str, Callable[[RouterClient, argparse.Namespace, Screen], None]] = MappingProxyType(
    {
        "create": _create,
        "list": _list,
        "show": _show,
        "update": _update,
        "disable": _disable,
        "enable": _enable,
        "delete": _delete,
    }
)


def _client(arguments: argparse.Namespace, environment: Mapping[str, str]) -> RouterClient:
    if arguments.key_file is not None:
        try:
            key = arguments.key_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise Problem(f"--key-file {arguments.key_file}: {reason}") from None
    else:
        key = environment.get(KEY_VARIABLE, "").strip()
    if not key:
        raise Problem(
            f"there is no management key: set {KEY_VARIABLE}, or name a file with --key-file; "
            "`tramontane keys bootstrap` makes the first one"
        )
    url = arguments.url or environment.get("TRAMONTANE_BASE_URL") or DEFAULT_BASE_URL
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        print(f"warning: the management key goes to {parts.hostname} unencrypted; use https", file=sys.stderr)
    return RouterClient(url, key, key_from=f"{KEY_VARIABLE} or --key-file")


def _path(arguments: argparse.Namespace) -> str:
    return f"/api/v1/keys/{quote(arguments.hash, safe='')}"


def _tell(key: Mapping[str, Any], arguments: argparse.Namespace, screen: Screen) -> None:
    screen.say(json.dumps(key, indent=2) if arguments.json else details(key))


def details(key: Mapping[str, Any]) -> str:
    """One key, a line a field."""
    shown = {name: value for name, value in key.items() if not name.startswith("byok_") and value is not None}
    if isinstance(shown.get("rates"), dict):
        shown["rates"] = ", ".join(f"{name} {rate}" for name, rate in shown["rates"].items() if rate) or "unlimited"
    width = max(len(name) for name in shown)
    return "\n".join(f"{name.ljust(width)}  {_text(value)}" for name, value in shown.items())


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(each) for each in value)
        case _:
            return str(value)


def _cells(key: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    expires_at = key["expires_at"]
    has_expired = expires_at is not None and datetime.fromisoformat(expires_at) <= now
    return (
        key["name"],
        key["label"],
        "management" if key["is_management"] else "inference",
        "disabled" if key["disabled"] else "expired" if has_expired else "active",
        f"${key['usage']:.2f}",
        "-" if key["limit"] is None else f"${key['limit']:.2f}",
        key["limit_reset"] or "-",
        "-" if expires_at is None else expires_at[:10],
        key["hash"],
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
