"""`twofold up`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
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
from deploy.local.recorded import Recorder, recorder
from deploy.local.supervisord import Supervisord
from deploy.local.vigil import Vigil
from deploy.overview import COMMANDS
from deploy.settings import STAGE
from service.settings import PORT

_PORT = click.IntRange(0, 65535)


@dataclass(frozen=True)
class _Wanted:
    """What stood on the command line."""

    port: int | None
    function_port: int
    guests: bool
    record: str | None

    @property
    def instance_port(self) -> int:
        return PORT if self.port is None else self.port


@click.command("up", short_help=COMMANDS["up"])
@settings_flags((STAGE,))
@click.option(PORT_FLAG, type=_PORT, help=f"Of the instance.  [default: {PORT}]")
@click.option(FUNCTION_PORT_FLAG, type=_PORT, default=0, help="Of the Function URL.  [any free]")
@click.option("--guests", is_flag=True, help="Play the whole fleet by Debian guests (Linux, root).")
@click.option("--record", metavar="FILE", help="Write the requests that come to a new file.")
@json_flag
def command(flags: Mapping[str, Any], as_json: bool, **typed: Any) -> None:
    """Play the whole stack on this machine until Ctrl-C.

    Like `twofold demo`, but left running: both sides can be asked with curl, and the
    other commands with --local. The function's and the service's log lines are shown. A
    release that is provisioned meanwhile is what the function runs from then on; the
    instance keeps its own. Ends with 0 on Ctrl-C once it is up.

    With --guests each instance that the Auto Scaling group wants is a Debian of its own,
    which boots the launch template's user data under cloud-init and systemd; cfn-hup
    brings a release that is provisioned meanwhile to each of them. Look inside with
    `twofold guest`.

    With --record the requests to both sides are written to FILE as curl lines, secrets in
    them too, for `twofold parity` to ask both sides again.

    \b
    Examples:
      twofold up
      twofold up --port 9000 --function-port 9001
      twofold up --record requests.txt
      sudo .venv/bin/twofold up --guests
    """
    wanted = _Wanted(**typed)
    _refuse_one_port_for_both(wanted)
    console, interrupts = Console(), Interrupts()
    settings = project.settings(flags, topology_settings())
    refuse_second(project.ROOT)
    _refuse_beside_guests(wanted)
    if wanted.record == "":
        raise SettingsError("--record is ''; expected the name of a file.")
    with ExitStack() as stack:
        stack.enter_context(interrupts.caught())
        recording = _recorder(stack, wanted, console)
        if recording:
            wanted = replace(wanted, port=0, function_port=0)  # its own are the known ones now
        cloud = stack.enter_context(
            play(
                project.ROOT,
                settings,
                wanted.function_port,
                _instances(wanted),
                console=console,
                interrupts=interrupts,
            )
        )
        urls = stack.enter_context(recording.before(cloud)) if recording else cloud.sides
        stack.enter_context(written(project.ROOT, cloud.record))
        _show(cloud, urls, as_json)
        with suppress(KeyboardInterrupt):
            Vigil(cloud, _line, console.note).keep()
        console.note("Taking everything down ...")


def _refuse_one_port_for_both(wanted: _Wanted) -> None:
    """Guests listen at addresses of their own."""
    if wanted.function_port and wanted.function_port == wanted.instance_port and not wanted.guests:
        raise SettingsError(
            f"The instance and the function cannot both have port {wanted.function_port}. "
            f"Pass another {PORT_FLAG} or {FUNCTION_PORT_FLAG}."
        )


def _refuse_beside_guests(wanted: _Wanted) -> None:
    if wanted.guests and wanted.port is not None:
        raise SettingsError(
            f"{PORT_FLAG} moves the one instance that supervisord plays; a guest listens on "
            f"port {PORT} of an address of its own. Leave {PORT_FLAG} or --guests out."
        )
    if wanted.guests and wanted.record is not None:
        raise SettingsError(
            "--record stands before the one instance that supervisord plays; guests are asked "
            "at addresses of their own. Leave --record or --guests out."
        )


def _recorder(stack: ExitStack, wanted: _Wanted, console: Console) -> Recorder | None:
    if wanted.record is None:
        return None
    ports = (wanted.instance_port, wanted.function_port)
    return stack.enter_context(recorder(wanted.record, *ports, console.note))


def _instances(wanted: _Wanted) -> InstanceSide:
    if not wanted.guests:
        return Supervisord(wanted.instance_port)
    from deploy.local.guests.side import Guests

    return Guests()


def _show(cloud: Cloud, urls: Mapping[str, str], as_json: bool) -> None:
    """The URLs are those to ask: the recorder's, if there is one."""
    function, instance = urls["lambda"].rstrip("/"), urls["instance"]
    if as_json:
        # Of guests there is no URL that stays.
        fixed = instance if cloud.record.instance_url else ""
        shown = replace(cloud.record, function_url=f"{function}/", instance_url=fixed)
        click.echo(json.dumps({**asdict(shown), "digest": cloud.wanted.release.sha256}, indent=2))
    else:
        click.echo(
            f"lambda    {function}/\n"
            f"instance  {instance}/\n"
            f"\n"
            f"  curl {function}/\n"
            f"  curl {instance}/healthz\n"
            f"  twofold invoke --local --http /\n"
            f"\n"
            f"Written to {RECORD}. Ctrl-C ends it."
        )
    sys.stdout.flush()


def _line(side: str, line: str) -> None:
    click.echo(click.style(f"{side:<8} | {line}", dim=True), err=True)
