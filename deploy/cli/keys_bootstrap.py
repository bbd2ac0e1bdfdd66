"""The first management key: made here, told to the router by its configuration, kept in no database."""

import json
import secrets

from deploy.cli.screen import Screen

NEXT = """\
This is the first management key; it is kept nowhere. Give it to the router as a secret, for example in the environment
of its process, and name that in its configuration beside the database:

  database:
    url: {env: TRAMONTANE_DATABASE_URL}
  accounts:
    bootstrap: {env: TRAMONTANE_MANAGEMENT_KEY}

After the router has started, make keys with it, then a management key of your own, and take this one away again:

  TRAMONTANE_MANAGEMENT_KEY=… tramontane keys create "first team"
  TRAMONTANE_MANAGEMENT_KEY=… tramontane keys create "me" --management
"""


def run(screen: Screen, *, as_json: bool) -> None:
    """Make it and say what to do with it."""
    key = f"sk-or-v1-{secrets.token_hex(32)}"
    if as_json:
        screen.say(json.dumps({"key": key}))
        return
    screen.say(key)
    screen.remark(NEXT.rstrip())
