"""`twofold delete`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from deploy.connection import connect
from deploy.console import Console
from deploy.errors import SettingsError
from deploy.flags import json_flag, local_flag, settings_flags
from deploy.overview import COMMANDS
from deploy.settings import BUCKET, REGION, STAGE, Settings
from deploy.stack import Stack, StackResource
from deploy.stack.deletion import delete
from deploy.stack.hints import Hints


@click.command("delete", short_help=COMMANDS["delete"])
@settings_flags((STAGE, REGION))
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@local_flag
@json_flag
def command(flags: Mapping[str, Any], yes: bool, local: bool, as_json: bool) -> None:
    """Delete the stack, after showing what goes and asking.

    Waits until it is gone, and says what stays: the artifacts in the bucket, and whatever
    the template retains. A stack that does not exist is no error.

    \b
    Examples:
      twofold delete --stage dev
      twofold delete --stage dev --yes --json
    """
    connection = connect(flags, local=local, others_allowed=True)
    aws, settings = connection.aws, connection.settings
    where = (settings.stack, aws.region)
    stack = aws.stack(settings.stack)
    if stack is None:
        _print(where, "absent", (), (), as_json)
        return
    if not (yes or _confirmed(stack, aws.resources(stack.id), aws.region)):
        _print(where, "kept", (), (), as_json)
        return
    deleted = delete(aws, stack, Console(), Hints(settings.stage, aws.region, local))
    _print(where, "deleted", deleted.kept, _left(settings), as_json)


def _confirmed(stack: Stack, resources: Sequence[StackResource], region: str) -> bool:
    count = f"{len(resources)} resources"
    click.echo(f"Stack {stack.name!r} in {region} ({stack.status}) has {count}:", err=True)
    for resource in resources:
        click.echo(f"  {resource.logical_id} ({resource.type})", err=True)
    if not sys.stdin.isatty():
        raise SettingsError(
            f"There is no terminal to confirm the deletion of stack {stack.name!r} at. Pass --yes."
        )
    return click.confirm("Delete all of it?", err=True)


def _left(settings: Settings) -> tuple[str, ...]:
    bucket = settings[BUCKET]
    where = f"s3://{bucket}/{settings.name}/" if bucket else "the artifacts' bucket"
    return (f"the artifacts in {where} (other stages may run them)",)


_RESULTS = {
    "absent": "Stack {stack} does not exist in {region}; there is nothing to delete.",
    "kept": "Nothing was deleted.",
    "deleted": "Stack {stack} is deleted.",
}


def _print(
    where: tuple[str, str],
    result: str,
    kept: Sequence[StackResource],
    left: Sequence[str],
    as_json: bool,
) -> None:
    stack, region = where
    retained = [f"{one.logical_id} ({one.type}): {one.physical_id}" for one in kept]
    stays = [*retained, *left]
    document = {"stack": stack, "region": region, "result": result, "stays": stays}
    lines = [
        _RESULTS[result].format(stack=stack, region=region),
        *(f"What stays: {one}" for one in stays),
    ]
    click.echo(json.dumps(document, indent=2) if as_json else "\n".join(lines))
