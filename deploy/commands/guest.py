"""`twofold guest`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from deploy import project
from deploy.composition import topology_settings
from deploy.connection import running_cloud
from deploy.console import Console
from deploy.flags import json_flag, settings_flags
from deploy.local.guests.guest import CONSOLE, inside
from deploy.local.guests.image import Image, find, image
from deploy.local.guests.requirements import refuse_without
from deploy.local.guests.running import LOGS, RunningGuest, attached, chosen, running
from deploy.local.guests.single import Booted, boot
from deploy.local.interrupts import Interrupts
from deploy.local.laptop import cache
from deploy.local.log_lines import LogLines
from deploy.local.record import refuse_second, written
from deploy.overview import COMMANDS
from deploy.settings import PYTHON, STAGE, Settings
from service.settings import PORT

_LOOK_SECONDS = 0.2
_NEED = "This needs a running 'twofold guest boot' or 'twofold up --guests'"

_instance_flag = click.option(
    "-i",
    "--instance",
    default="",
    metavar="ID",
    help="Which guest: the beginning of its ID.  [default: the only one]",
)


@click.group("guest", short_help=COMMANDS["guest"], no_args_is_help=True)
def command() -> None:
    """Boot and look into a Debian guest that plays an instance.

    A guest boots the user data of the launch template under cloud-init and systemd, as an
    EC2 instance does, so a change to ops/ is tried in seconds. Needs Linux and root.

    \b
    Examples:
      sudo .venv/bin/twofold guest boot
      sudo .venv/bin/twofold guest shell systemctl status supervisor
    """


@command.command("boot")
@settings_flags((STAGE,))
@click.option("--bare", is_flag=True, help="Boot an image without the packages: as long as on EC2.")
def boot_one(flags: Mapping[str, Any], bare: bool) -> None:
    """Boot one guest from the current template and show its console, until Ctrl-C.

    The stack is made in an embedded AWS, without the Lambda side and whatever size the
    fleet has. A guest whose bootstrap fails is left running, to be looked into. While it
    runs, `twofold provision --local` brings a release to it.

    \b
    Examples:
      sudo .venv/bin/twofold guest boot
      sudo .venv/bin/twofold guest boot --stage prod --bare
    """
    console, interrupts = Console(), Interrupts()
    settings = project.settings(flags, topology_settings())
    refuse_second(project.ROOT)
    with (
        interrupts.caught(),
        boot(project.ROOT, settings, console, interrupts, bare=bare) as booted,
        written(project.ROOT, booted.record),
    ):
        with suppress(KeyboardInterrupt):
            _watch(booted, console)
        console.note("Taking everything down ...")


def _watch(booted: Booted, console: Console) -> None:
    """Shows the console, and says once how the bootstrap ended."""
    lines, start, told = LogLines(), time.monotonic(), False
    while booted.guest.is_running:
        for _, line in lines.new([booted.guest.console]):
            click.echo(line)
        if booted.single.signal and not told:
            told = True
            console.note(_verdict(booted, time.monotonic() - start))
        time.sleep(_LOOK_SECONDS)
    console.note("The guest has shut down.")


def _verdict(booted: Booted, seconds: float) -> str:
    described = booted.guest.described
    if booted.single.signal == "SUCCESS":
        outcome = f"serves after {seconds:.0f} s: http://{described.public_address}:{PORT}/"
    else:
        outcome = f"signalled {booted.single.signal} after {seconds:.0f} s"
    return (
        f"\nGuest {described.instance} {outcome}\n"
        "  twofold guest logs\n"
        "  twofold guest shell\n"
        "Ctrl-C shuts it down."
    )


@command.command("logs")
@_instance_flag
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines, until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0), default=200, show_default=True)
@click.option("--console", "of_console", is_flag=True, help="What it wrote to its console instead.")
def logs(instance: str, follow: bool, lines: int, of_console: bool) -> None:
    """Show what a guest has logged: bootstrap, releases, cfn-hup, supervisord, the service.

    \b
    Examples:
      sudo .venv/bin/twofold guest logs -f
      sudo .venv/bin/twofold guest logs -i i-0123 --console
    """
    refuse_without()
    guest = _chosen(instance)
    if of_console:
        tail = ["-f"] if follow else []
        code = attached(["tail", "-n", str(lines), *tail, str(guest.folder / CONSOLE)])
    else:
        script = LOGS.read_text(encoding="utf-8")
        name = project.settings({}, others_allowed=True).name
        arguments = ("/var/log", name, str(lines), "follow" if follow else "")
        code = attached(inside(guest.leader, ("/bin/bash", "-c", script, LOGS.name, *arguments)))
    raise click.exceptions.Exit(code)


@command.command("shell", context_settings={"allow_interspersed_args": False})
@_instance_flag
@click.argument("program", nargs=-1, type=click.UNPROCESSED)
def shell(instance: str, program: Sequence[str]) -> None:
    """Open a shell as root in a guest, or run PROGRAM there and exit as it does.

    \b
    Examples:
      sudo .venv/bin/twofold guest shell
      sudo .venv/bin/twofold guest shell -i i-0123 systemctl status supervisor
    """
    refuse_without()
    wanted = tuple(program) or ("/bin/bash", "--login")
    raise click.exceptions.Exit(attached(inside(_chosen(instance).leader, wanted)))


@command.command("image")
@settings_flags((PYTHON,))
@click.option("--bare", is_flag=True, help="The image without the packages of user data.")
@click.option("--rebuild", is_flag=True, help="Make it anew, from the archive as it is now.")
@json_flag
def show_image(flags: Mapping[str, Any], bare: bool, rebuild: bool, as_json: bool) -> None:
    """Say where the image of guests is and how old; make it anew with --rebuild.

    It is made by mmdebstrap when the first guest boots, once per Python version.

    \b
    Examples:
      twofold guest image
      sudo .venv/bin/twofold guest image --rebuild --python 3.13
    """
    settings = project.settings(flags, others_allowed=True)
    made = _image(settings, bare, rebuild)
    if as_json:
        click.echo(json.dumps(_document(made), indent=2))
    elif made is None:
        click.echo(
            "There is no image yet. The first guest makes it, or: twofold guest image --rebuild"
        )
    else:
        click.echo(
            f"{made.root}\n"
            f"{made.suite}, Python {made.python}, made {_ago(made.made)} in {made.seconds:.0f} s"
        )


def _image(settings: Settings, bare: bool, rebuild: bool) -> Image | None:
    kept, python = cache(project.ROOT), settings.target.python
    if not rebuild:
        return find(kept, python, prepared=not bare)
    refuse_without()
    with Interrupts().caught():
        return image(kept, python, Console(), prepared=not bare, rebuild=True)


def _document(made: Image | None) -> dict[str, object]:
    if made is None:
        return {"image": None}
    return {
        "image": str(made.root),
        "suite": made.suite,
        "python": made.python,
        "prepared": made.prepared,
        "made": made.made.isoformat(),
        "seconds": made.seconds,
    }


def _ago(moment: datetime) -> str:
    age = datetime.now(UTC) - moment
    for unit, name in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        if (count := age // unit) >= 1:
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    minutes = age // timedelta(minutes=1)
    return f"{minutes} minute{'s' if minutes != 1 else ''} ago"


def _chosen(instance: str) -> RunningGuest:
    folder = Path(running_cloud(project.ROOT, _NEED).folder)
    return chosen(running(folder), instance)
