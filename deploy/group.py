"""The commands of `twofold` as click sees them; each module is imported when its command runs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from deploy.overview import COMMANDS, overview

USAGE = 2
_NAMES = {"help_option_names": ["-h", "--help"]}


class LazyGroup(click.Group):
    """Knows its commands by name, and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"deploy.commands.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"deploy.commands.{cmd_name}.command is no click command")
        return command

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002  click's signature
        return overview().rstrip("\n")


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from deploy.project import ROOT, version

        click.echo(f"twofold {version()} ({ROOT})")
        ctx.exit()


group = LazyGroup(
    "twofold",
    context_settings=_NAMES,
    params=[
        click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_show_version
        )
    ],
)


def run(arguments: Sequence[str]) -> int:
    """Runs one command; gives its exit code.

    Not click's own `main`, which decides on exit codes, Ctrl-C and broken pipes by itself.

    Raises:
        TwofoldError, KeyboardInterrupt, BrokenPipeError: for `cli.main` to tell.
    """
    try:
        with group.make_context("twofold", list(arguments)) as context:
            group.invoke(context)
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        return _shown(error)
    return 0


def _shown(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return USAGE
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message += f"\n{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help'."
    sys.stderr.write(f"twofold: error: {message}\n")
    return USAGE
