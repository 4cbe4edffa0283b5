"""`twofold status`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from deploy.connection import connect
from deploy.flags import json_flag, local_flag, settings_flags
from deploy.overview import COMMANDS
from deploy.settings import REGION, STAGE
from deploy.sides import remedy
from deploy.stack.inspection import inspect
from deploy.stack.status import lines


@click.command("status", short_help=COMMANDS["status"])
@settings_flags((STAGE, REGION))
@local_flag
@json_flag
def command(flags: Mapping[str, Any], local: bool, as_json: bool) -> None:
    """Show the stack and the digest that each side really runs.

    The function's digest is what Lambda reports of its code; an instance's is what its own
    /healthz answers. A side that runs something else than the stack's release is named.
    A stack that does not exist is an answer, too: the exit code is 0.

    \b
    Examples:
      twofold status --stage prod
      twofold status --json | jq .drift
    """
    connection = connect(flags, local=local, others_allowed=True)
    status = inspect(connection)
    text = "\n".join(lines(status, remedy(connection)))
    click.echo(json.dumps(status.document(), indent=2) if as_json else text)
