"""`twofold parity`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from deploy import project
from deploy.composition import topology_settings
from deploy.connection import connect
from deploy.console import Console
from deploy.errors import SettingsError
from deploy.flags import json_flag, settings_flags
from deploy.overview import COMMANDS
from deploy.parity import json_pointer, junit
from deploy.parity.difference import Ignored
from deploy.parity.files import read
from deploy.parity.hosts import meant
from deploy.parity.junit_file import refuse_unwritable, write
from deploy.parity.replay import LAMBDA, Replay
from deploy.parity.report import Report, document, show, summary
from deploy.parity.request import Request, is_token
from deploy.settings import REGION, STAGE
from deploy.sides import existing, function_url, reachable

DIFFERENT = 1
_WITHOUT_FILES = (
    Request("GET", "/", where="built in"),
    Request("GET", "/healthz", where="built in"),
)


@click.command("parity", short_help=COMMANDS["parity"])
@click.argument("files", metavar="[FILE]...", nargs=-1)
@settings_flags((STAGE, REGION))
@click.option(
    "--local",
    is_flag=True,
    help="Ask the 'twofold up' that runs in this project, or play the stack for this one command.",
)
@click.option(
    "--host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="Of requests that name a host, send those that name this one.",
)
@click.option("--ignore-header", "names", metavar="NAME", multiple=True, help="Do not compare it.")
@click.option(
    "--ignore-body",
    "pointers",
    metavar="POINTER",
    multiple=True,
    help="Do not compare what JSON bodies hold there, as in /items/*/id.",
)
@click.option("--repeat", type=click.IntRange(1), default=1, help="Send all of them N times.")
@click.option(
    "--junit",
    "junit_file",
    metavar="FILE",
    help="Also write a JUnit report; it replaces only another one.",
)
@json_flag
def command(files: tuple[str, ...], flags: Mapping[str, Any], as_json: bool, **typed: Any) -> None:
    """Ask both sides the same requests and show where the answers differ.

    A FILE holds curl lines, as a shell or a browser's "Copy as cURL" has them, or is a HAR
    file; - is standard input. Hosts are replaced by the side's own; where several are named,
    --host says which are the service's. -d @NAME is read beside the FILE. Without a FILE, /
    and /healthz are asked for. `twofold up --record` writes such a file.

    EVERY REQUEST REALLY HAPPENS ON EVERY SIDE: a POST is done by the function and by each
    instance. Each side gets one at a time, in the file's order, exactly as written.
    Redirects are compared, not followed.

    Status, headers, cookies and bodies are compared; a difference that a platform forces is
    shown with its reason. The exit code is 1 when there is any other.

    \b
    Examples:
      twofold parity requests.txt --local
      twofold parity site.har --host api.example --stage prod --ignore-header etag
      twofold parity --local --junit parity.xml requests.txt --ignore-body /items/*/id
    """
    ignored = _ignored(typed["names"], typed["pointers"])
    console = Console()
    requests = _requests(files, typed["hosts"], console) * typed["repeat"]
    if typed["junit_file"] is not None:
        refuse_unwritable(typed["junit_file"])
    with _asked(flags, typed["local"], console) as sides:
        replay = Replay(sides, requests, ignored, console.note)
        try:
            with console.step(_asking(len(requests), list(sides))):
                replay.run()
        finally:
            report = Report(sides, replay.compared, replay.asked, len(requests))
            try:
                _show(report, as_json)
            finally:
                _keep(report, typed["junit_file"], console)
    if report.differs:
        raise click.exceptions.Exit(DIFFERENT)


def _requests(
    files: tuple[str, ...], hosts: tuple[str, ...], console: Console
) -> tuple[Request, ...]:
    if not files:
        return _WITHOUT_FILES
    found = read(files, hosts)
    sent = meant(found, hosts)
    if left := len(found) - len(sent):
        console.note(f"{left} of {len(found)} requests name other hosts and are left out.")
    return sent


def _asking(count: int, sides: list[str]) -> str:
    return f"Sending {count} request{'s' * (count != 1)} to {' and '.join(sides)}"


def _ignored(names: tuple[str, ...], pointers: tuple[str, ...]) -> Ignored:
    problems = [
        f"--ignore-header is {name!r}; expected a header's name such as etag."
        for name in names
        if not is_token(name)
    ]
    problems += [
        f"--ignore-body is {pointer!r}; expected a JSON Pointer such as /items/*/id."
        for pointer in pointers
        if not json_pointer.is_one(pointer)
    ]
    if problems:
        raise SettingsError("\n".join(problems))
    return Ignored(frozenset(name.lower() for name in names), pointers)


@contextmanager
def _asked(flags: Mapping[str, Any], local: bool, console: Console) -> Iterator[Mapping[str, str]]:
    """A side's name -> its URL, while the block runs."""
    if local and _nothing_runs():
        with _played(flags, console) as sides:
            yield sides
    else:
        connection = connect(flags, local=local, others_allowed=True)
        stack = existing(connection)
        yield {LAMBDA: function_url(connection, stack), **dict(reachable(connection, stack))}


def _nothing_runs() -> bool:
    from deploy.local.record import running

    return running(project.ROOT) is None


@contextmanager
def _played(flags: Mapping[str, Any], console: Console) -> Iterator[Mapping[str, str]]:
    from deploy.local.cloud import play
    from deploy.local.interrupts import Interrupts
    from deploy.local.supervisord import Supervisord

    interrupts = Interrupts()
    settings = project.settings(flags, topology_settings())
    with (
        interrupts.caught(),
        play(
            project.ROOT, settings, 0, Supervisord(0), console=console, interrupts=interrupts
        ) as cloud,
    ):
        yield cloud.sides
        console.note("Taking everything down ...")


def _keep(report: Report, junit_file: str | None, console: Console) -> None:
    """After all is shown: a disk that is full by now takes nothing else away."""
    if junit_file is not None:
        write(junit_file, junit.xml(report))
        console.note(f"The JUnit report is in {junit_file}.")


def _show(report: Report, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(document(report), indent=2))
        return
    if any(one.findings for one in report.compared):
        from rich.console import Console as Terminal

        # Not printed by rich, which takes a reader that went away for an exit code of 1.
        terminal = Terminal(highlight=False)
        with terminal.capture() as captured:
            show(report, terminal)
        click.echo(captured.get(), nl=False)
    click.echo(summary(report))
