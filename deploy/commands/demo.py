"""`twofold demo`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from deploy import project
from deploy.composition import topology_settings
from deploy.console import Console
from deploy.errors import LocalError
from deploy.flags import json_flag, settings_flags
from deploy.local.cloud import play
from deploy.local.comparison import Row, compare, differences, document
from deploy.local.interrupts import Interrupts
from deploy.local.supervisord import Supervisord
from deploy.overview import COMMANDS
from deploy.settings import STAGE

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN_DIGEST = 12
_SHOWN_BODY = 31  # as wide as a URL, so that two sides fit into 80 columns


@click.command("demo", short_help=COMMANDS["demo"])
@settings_flags((STAGE,))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the instance's side.")
@json_flag
def command(flags: Mapping[str, Any], port: int, as_json: bool) -> None:
    """Play the whole stack on this machine once, ask both sides, and end.

    Builds the artifact, starts an embedded AWS on loopback, provisions the stack in it,
    starts Lambda's runtime client and supervisord from the uploaded artifact, asks both
    the same things, and takes everything down. No AWS account is needed. Exits with 6 when
    an answer or a digest is not what it should be.

    \b
    Examples:
      twofold demo
      twofold demo --json
    """
    console, interrupts = Console(), Interrupts()
    settings = project.settings(flags, topology_settings())
    with interrupts.caught():
        instances = Supervisord(port)
        with play(
            project.ROOT, settings, 0, instances, console=console, interrupts=interrupts
        ) as cloud:
            with console.step("Asking both sides the same things"):
                rows = compare(cloud.sides)
            digest, as_deployed = cloud.wanted.release.sha256, cloud.is_as_deployed
            console.note("Taking everything down ...")
        if as_json:
            click.echo(json.dumps(document(rows, digest, as_deployed), indent=2))
        else:
            _show(rows)
    if found := differences(rows, digest):
        raise LocalError("\n".join(found))


def _show(rows: Sequence[Row]) -> None:
    from rich.console import Console as Terminal

    Terminal(highlight=False).print(table(rows))


def table(rows: Sequence[Row]) -> Table:
    """A column for each side, and the answers to one question beside each other."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    sides = tuple(dict.fromkeys(row.side for row in rows))
    made = Table("side", box=box.SIMPLE)
    for side in sides:
        made.add_column(side, no_wrap=True)
    for first in range(0, len(rows), len(sides)):
        answers = [_parts(row) for row in rows[first : first + len(sides)]]
        for name in answers[0]:
            made.add_row(name, *(Text(answer[name]) for answer in answers))
        made.add_section()
    return made


def _parts(row: Row) -> dict[str, str]:
    return {
        "URL": row.url,
        "status": str(row.status),
        "body": _short(row.problem or row.body),
        "digest": row.digest[:_SHOWN_DIGEST],
        "time": f"{row.milliseconds:.1f} ms",
    }


def _short(body: str) -> str:
    line = " ".join(body.split())
    return line if len(line) <= _SHOWN_BODY else line[: _SHOWN_BODY - 1] + "…"
