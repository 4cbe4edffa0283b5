"""What every cloud on this machine begins with: its settings, the artifact, the stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from deploy.artifact import Artifact
from deploy.artifact.build import build
from deploy.aws import Aws
from deploy.composition import composer, worked_queues
from deploy.connection import LOCAL_CREDENTIALS
from deploy.console import Console
from deploy.errors import LocalError
from deploy.settings import BUCKET, REGION, TIMEOUT, Settings
from deploy.stack.plan import plan
from deploy.stack.provision import provision, survey
from deploy.target import host, running_python

DEFAULT_REGION = "us-east-1"


def cache(root: Path) -> Path:
    """Where a project keeps what the next run need not make again."""
    return root / ".twofold" / "cache"


def refuse_other_python(minor: str) -> None:
    """The service runs under the interpreter that twofold runs under.

    Raises:
        LocalError: the settings want another.
    """
    if minor != running_python():
        raise LocalError(
            f"The settings say Python {minor}, but twofold runs under {running_python()}, and so "
            f"would both sides here. Run twofold under Python {minor}, or leave python unset."
        )


def for_laptop(settings: Settings, **own: object) -> Settings:
    """The same with the laptop's own bucket, a region if none is set, and what else is its own."""
    values = {
        REGION.name: settings[REGION] or DEFAULT_REGION,
        BUCKET.name: f"{settings.name}-artifacts-of-this-laptop",
        **own,
    }
    return replace(settings, values=MappingProxyType({**settings.values, **values}))


def furnished(endpoint: str, settings: Settings) -> Aws:
    """The AWS at an endpoint, with what has to be there before any stack: the bucket."""
    aws = embedded_as_aws(endpoint, settings)
    aws.make_bucket(settings.needed(BUCKET))
    return aws


def embedded_as_aws(endpoint: str, settings: Settings) -> Aws:
    """The AWS at an endpoint of this machine, as it is."""
    return Aws(settings.needed(REGION), endpoint, credentials=LOCAL_CREDENTIALS)


def built(root: Path, settings: Settings, console: Console) -> Artifact:
    """The artifact for this machine's own processor and system."""
    target = host(settings.target.python)
    with console.step(f"Building the artifact for {target.platform}"):
        artifact = build(
            root,
            target,
            settings.name,
            console,
            cache(root),
            seconds=settings[TIMEOUT],
            queues=worked_queues(settings),
        )
    same = target == settings.target
    deployed = "the one that AWS would run" if same else f"AWS gets {settings.target.platform}"
    console.note(f"Artifact {artifact.sha256} ({deployed})")
    return artifact


def provisioned(
    root: Path, settings: Settings, artifact: Artifact, aws: Aws, console: Console
) -> Mapping[str, str]:
    """The stack is there; gives its outputs."""
    try:
        destination = survey(aws, settings, local=True)
        made = plan(settings, artifact, destination.bucket, composer(settings, root))
        return provision(aws, destination, made, console).outputs
    except KeyboardInterrupt:
        # Without what is said of a stack that goes on in AWS: this one ends with the AWS.
        raise KeyboardInterrupt from None
