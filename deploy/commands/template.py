"""`twofold template`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from deploy import project
from deploy.commands.build import built
from deploy.composition import composer, topology_settings, worked_queues
from deploy.connection import connect
from deploy.console import Console
from deploy.errors import SettingsError
from deploy.flags import settings_flags
from deploy.overview import COMMANDS
from deploy.settings import BUCKET, GENERAL, NAME
from deploy.stack.plan import plan
from deploy.stack.provision import usable_bucket

NO_BUCKET = "bucket-is-not-set"
"""Stands for the bucket in a template that is only looked at."""


@click.command("template", short_help=COMMANDS["template"])
@settings_flags(setting for setting in (*GENERAL, *topology_settings()) if setting is not NAME)
@click.option("--noop", is_flag=True, help="Ask AWS nothing: no credentials, no bucket needed.")
@click.option("--build-id", default="", help="A name for this build.  [default: of the digest]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to a file, not to stdout."
)
def command(flags: Mapping[str, Any], noop: bool, build_id: str, output: Path | None) -> None:
    """Print the CloudFormation template, as JSON.

    Without --noop the credentials and the bucket are checked, and the template is the very
    one that provision would send. With --noop AWS is asked nothing, and a bucket that is
    not set reads 'bucket-is-not-set'.

    \b
    Examples:
      twofold template --noop | less
      twofold template --noop --stage prod -o prod.json
    """
    connection = connect(flags, topology_settings(), local=False)
    settings, console = connection.settings, Console()
    bucket = settings[BUCKET] or NO_BUCKET
    if not noop:
        settings.needed(BUCKET)
        connection.aws.identity()  # of bad credentials S3 only says that they are forbidden
        bucket = usable_bucket(connection.aws, settings)
    elif bucket == NO_BUCKET:
        console.note(f"No bucket is set: the template names {NO_BUCKET!r}, which is none.")
    artifact = built(settings, console, worked_queues(settings))
    made = plan(settings, artifact, bucket, composer(settings, project.ROOT), build_id)
    text = json.dumps(json.loads(made.template), indent=2, ensure_ascii=False)
    _write(text, output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"Cannot write {output}: {error.strerror}. Pass another -o.") from None
