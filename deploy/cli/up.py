"""`tramontane up`: the stack on this machine until Ctrl-C."""

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cli.options import DEFAULT_PORT, add_stack_options
from deploy.installed import require_engines

if TYPE_CHECKING:
    from deploy.cli.screen import Screen
    from deploy.local import Stack

DESCRIPTION = """\
Start Ray, engines with the pocket model on CPU, and the router in front of them; print how to talk to it; stay up
until Ctrl-C. Ctrl-C lets open answers end, a second one does not wait for them; nothing is left running.

examples:
  tramontane up
  tramontane up --replicas 2 --port 8081
"""
CHECK_S = 0.5
WELCOME = """\
Ready.

  base URL   {base_url}
  API key    {api_key}
  to manage  {management_key}
  model      {model}
  metrics    {root_url}/metrics (router), {engine_url}/metrics (engine)
  Ray        {dashboard} (token in {token_file})
  logs       {folder}

With curl:

  curl -N {base_url}/chat/completions \\
    -H "Authorization: Bearer {api_key}" -H "Content-Type: application/json" \\
    -d '{{"model": "{model}", "stream": true, "messages": [{{"role": "user", "content": "{question}"}}]}}'

With Python:

  from openai import OpenAI
  client = OpenAI(base_url="{base_url}", api_key="{api_key}")
  answer = client.chat.completions.create(
      model="{model}", messages=[{{"role": "user", "content": "{question}"}}]
  )
  print(answer.choices[0].message.content)

From another shell:

  export TRAMONTANE_BASE_URL={base_url} TRAMONTANE_API_KEY={api_key}
  export TRAMONTANE_MANAGEMENT_KEY={management_key}
  {command} ask "{question}"
  {command} status
  {command} keys create me --limit 5

Ctrl-C stops everything.\
"""
QUESTION = "What is 3 + 4?"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_stack_options(parser, port=DEFAULT_PORT)


def run(arguments: argparse.Namespace) -> int:
    """Stay up until a signal.

    Raises:
        Problem: there are no engines here, the stack did not start, or a part of it ended.
    """
    require_engines()
    from deploy.cli.session import with_stack
    from deploy.local import Options

    return with_stack(Options(replicas=arguments.replicas, port=arguments.port), stay)


def stay(stack: "Stack", screen: "Screen", check_s: float = CHECK_S) -> int:
    """Print how to talk to the stack, then watch it until a signal comes, which is how this is meant to end.

    Args:
        check_s: seconds between two looks.

    Returns:
        0.

    Raises:
        StackFailed: a part ended.
    """
    from deploy.cli.session import Interrupted

    screen.say(welcome(stack))
    try:
        while True:
            stack.check()
            time.sleep(check_s)
    except Interrupted:
        return 0


def welcome(stack: "Stack") -> str:
    """Addresses, key and examples to copy."""
    assert stack.cluster is not None  # it has been started
    return WELCOME.format(
        base_url=stack.base_url,
        root_url=stack.root_url,
        api_key=stack.api_key,
        management_key=stack.management_key,
        model=stack.model,
        engine_url=stack.replicas[0].url,
        dashboard=stack.cluster.dashboard,
        token_file=stack.cluster.token_file,
        folder=stack.folder,
        question=QUESTION,
        command=command(),
    )


def command() -> str:
    """How this command is called from a shell like ours."""
    return "tramontane" if shutil.which("tramontane") else str(Path(sys.executable).with_name("tramontane"))
