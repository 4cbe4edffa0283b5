"""`twofold build`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from deploy import project
from deploy.artifact import Artifact
from deploy.artifact.build import build
from deploy.artifact.trial import WorkedQueue
from deploy.console import Console
from deploy.flags import json_flag, settings_flags
from deploy.overview import COMMANDS
from deploy.settings import ARCHITECTURE, PYTHON, STAGE, TIMEOUT, Settings


@click.command("build", short_help=COMMANDS["build"])
@settings_flags((STAGE, PYTHON, ARCHITECTURE, TIMEOUT))
@json_flag
def command(flags: Mapping[str, Any], as_json: bool) -> None:
    """Build the artifact that Lambda and every instance run.

    Equal files and locks give the same zip, byte for byte, wherever and whenever it is
    built; its name is its sha256. Nothing is uploaded. Prints the path of the zip.

    \b
    Examples:
      twofold build
      twofold build --architecture arm64 --json
    """
    settings = project.settings(flags, others_allowed=True)
    artifact = built(settings, Console())
    click.echo(json.dumps(_document(artifact), indent=2) if as_json else artifact.path)


def built(settings: Settings, console: Console, queues: Sequence[WorkedQueue] = ()) -> Artifact:
    """The project's artifact for the target that the settings name; its handlers take `queues`."""
    cache = project.ROOT / ".twofold" / "cache"
    with console.step(f"Building the artifact for {settings.target.platform}"):
        artifact = build(
            project.ROOT,
            settings.target,
            settings.name,
            console,
            cache,
            seconds=settings[TIMEOUT],
            queues=queues,
        )
    console.note(
        f"{artifact.sha256}: {artifact.size / 1e6:.1f} MB, "
        f"{artifact.unpacked_size / 1e6:.1f} MB unpacked"
    )
    return artifact


def _document(artifact: Artifact) -> dict[str, Any]:
    return {
        "path": str(artifact.path),
        "sha256": artifact.sha256,
        "key": artifact.key,
        "size": artifact.size,
        "unpacked_size": artifact.unpacked_size,
    }
