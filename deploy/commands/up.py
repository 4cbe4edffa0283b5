"""`twofold up`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import click

from deploy import project
from deploy.composition import topology_settings
from deploy.connection import RECORD
from deploy.console import Console
from deploy.errors import SettingsError
from deploy.flags import json_flag, settings_flags
from deploy.local.cloud import FUNCTION_PORT_FLAG, Cloud, play
from deploy.local.instance import PORT_FLAG
from deploy.local.instance_side import InstanceSide
from deploy.local.interrupts import Interrupts
from deploy.local.record import refuse_second, written
from deploy.local.supervisord import Supervisord
from deploy.local.vigil import Vigil
from deploy.overview import COMMANDS
from deploy.settings import STAGE
from service.settings import PORT

_PORT = click.IntRange(0, 65535)


@click.command("up", short_help=COMMANDS["up"])
@settings_flags((STAGE,))
@click.option(PORT_FLAG, type=_PORT, help=f"Of the instance.  [default: {PORT}]")
@click.option(FUNCTION_PORT_FLAG, type=_PORT, default=0, help="Of the Function URL.  [any free]")
@click.option("--guests", is_flag=True, help="Play the whole fleet by Debian guests (Linux, root).")
@json_flag
def command(
    flags: Mapping[str, Any], port: int | None, function_port: int, guests: bool, as_json: bool
) -> None:
    """Play the whole stack on this machine until Ctrl-C.

    Like `twofold demo`, but left running: both sides can be asked with curl, and the
    other commands with --local. The function's and the service's log lines are shown. A
    release that is provisioned meanwhile is what the function runs from then on; the
    instance keeps its own. Ends with 0 on Ctrl-C once it is up.

    With --guests each instance that the Auto Scaling group wants is a Debian of its own,
    which boots the launch template's user data under cloud-init and systemd; cfn-hup
    brings a release that is provisioned meanwhile to each of them. Look inside with
    `twofold guest`.

    \b
    Examples:
      twofold up
      twofold up --port 9000 --function-port 9001
      sudo twofold up --guests
    """
    console, interrupts = Console(), Interrupts()
    settings = project.settings(flags, topology_settings())
    refuse_second(project.ROOT)
    instances = _instances(port, guests)
    with (
        interrupts.caught(),
        play(
            project.ROOT, settings, function_port, instances, console=console, interrupts=interrupts
        ) as cloud,
        written(project.ROOT, cloud.record),
    ):
        _show(cloud, as_json)
        with suppress(KeyboardInterrupt):
            Vigil(cloud, _line, console.note).keep()
        console.note("Taking everything down ...")


def _instances(port: int | None, guests: bool) -> InstanceSide:
    if not guests:
        return Supervisord(PORT if port is None else port)
    if port is not None:
        raise SettingsError(
            f"{PORT_FLAG} moves the one instance that supervisord plays; a guest listens on "
            f"port {PORT} of an address of its own. Leave {PORT_FLAG} or --guests out."
        )
    from deploy.local.guests.side import Guests

    return Guests()


def _show(cloud: Cloud, as_json: bool) -> None:
    record = cloud.record
    instance = cloud.instances.url
    if as_json:
        click.echo(json.dumps({**asdict(record), "digest": cloud.wanted.release.sha256}, indent=2))
    else:
        click.echo(
            f"lambda    {record.function_url}\n"
            f"instance  {instance}/\n"
            f"\n"
            f"  curl {record.function_url}\n"
            f"  curl {instance}/healthz\n"
            f"  twofold invoke --local --http /\n"
            f"\n"
            f"Written to {RECORD}. Ctrl-C ends it."
        )
    sys.stdout.flush()


def _line(side: str, line: str) -> None:
    click.echo(click.style(f"{side:<8} | {line}", dim=True), err=True)
