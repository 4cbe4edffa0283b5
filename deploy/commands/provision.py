"""`twofold provision`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from deploy import project
from deploy.commands.build import built
from deploy.composition import composer, topology_settings, worked_queues
from deploy.connection import connect
from deploy.console import Console
from deploy.flags import json_flag, local_flag, settings_flags
from deploy.overview import COMMANDS
from deploy.settings import GENERAL, NAME
from deploy.stack.plan import Plan, plan
from deploy.stack.provision import Outcome, preview, provision, survey


@click.command("provision", short_help=COMMANDS["provision"])
@settings_flags(setting for setting in (*GENERAL, *topology_settings()) if setting is not NAME)
@click.option("--build-id", default="", help="A name for this build.  [default: of the digest]")
@click.option("--noop", is_flag=True, help="Show what would change; the stack stays as it is.")
@local_flag
@json_flag
def command(
    flags: Mapping[str, Any], build_id: str, noop: bool, local: bool, as_json: bool
) -> None:
    """Create or update the stack: build, upload, change set, wait.

    What is there already is left alone: the artifact is uploaded once, and a stack that
    needs no change is not touched. A creation that fails is taken down again by
    CloudFormation; an update that fails is rolled back, and what ran before runs on. Of an
    instance that does not boot the end of its log is shown.

    With --noop CloudFormation is asked what would change; the artifact is not uploaded
    (a template of over 51,200 bytes is, as CloudFormation takes it from the bucket only).

    \b
    Examples:
      twofold provision --bucket my-artifacts --region eu-central-1
      twofold provision --stage prod --key my-key --ssh-cidr 203.0.113.7/32
      twofold provision --stage prod --noop
    """
    connection = connect(flags, topology_settings(), local=local)
    settings, console = connection.settings, Console()
    destination = survey(connection.aws, settings, local=local)
    console.note(f"Account {destination.account}, {destination.region}, stack {settings.stack}")
    artifact = built(settings, console, worked_queues(settings))
    compose = composer(settings, project.ROOT)
    made = plan(settings, artifact, destination.bucket, compose, build_id)
    run = preview if noop else provision
    outcome = run(connection.aws, destination, made, console)
    click.echo(json.dumps(_document(outcome, made), indent=2) if as_json else _text(outcome, made))


def _document(outcome: Outcome, made: Plan) -> dict[str, Any]:
    return {
        "stack": outcome.stack,
        "result": outcome.result,
        "release": asdict(made.pointer),
        "changes": [asdict(change) for change in outcome.changes],
        "outputs": dict(outcome.outputs),
        "seconds": round(outcome.seconds, 3),
    }


def _text(outcome: Outcome, made: Plan) -> str:
    head = f"Stack {outcome.stack} {outcome.result}, release {made.pointer.sha256}"
    return "\n".join([head, *(f"{k} = {v}" for k, v in sorted(outcome.outputs.items()))])
