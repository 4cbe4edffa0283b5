"""The laptop's cloud as a whole: the embedded AWS, the stack in it, both runtimes.

Up: the embedded AWS starts while the artifact is built; bucket and image parameters are
put there; the stack is provisioned by the same code as on AWS; each side fetches the
release that the stack names. Down: everything, in the opposite order.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from deploy.artifact import Artifact
from deploy.artifact.build import build
from deploy.aws import Aws
from deploy.composition import composer
from deploy.connection import LOCAL_CREDENTIALS, LocalCloud
from deploy.console import Console
from deploy.errors import LocalError
from deploy.local import embedded_aws, instance
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.instance import Instance
from deploy.local.interrupts import Interrupts
from deploy.local.lambda_side import LambdaSide, serve, site
from deploy.local.release import fetch
from deploy.local.running_release import Wanted, wanted
from deploy.local.server import Background, listen
from deploy.local.workspace import Workspace
from deploy.settings import BUCKET, REGION, Settings
from deploy.stack.plan import plan
from deploy.stack.provision import provision, survey
from deploy.target import host, running_python

DEFAULT_REGION = "us-east-1"
FUNCTION_PORT_FLAG = "--function-port"


@dataclass(frozen=True)
class Ports:
    """Where the two sides listen; 0 takes a free port."""

    instance: int
    function: int = 0


@dataclass(frozen=True)
class Cloud:
    """What runs, and where it can be asked."""

    record: LocalCloud
    settings: Settings
    wanted: Wanted
    aws: Aws
    embedded: EmbeddedAws
    instance: Instance
    function: LambdaSide
    workspace: Workspace

    @property
    def sides(self) -> dict[str, str]:
        """Side -> URL."""
        return {"lambda": self.record.function_url, "instance": self.record.instance_url}

    @property
    def is_as_deployed(self) -> bool:
        """Whether this machine runs the very artifact that AWS would."""
        return host(self.settings.target.python) == self.settings.target


@contextmanager
def play(
    root: Path, settings: Settings, ports: Ports, console: Console, interrupts: Interrupts
) -> Iterator[Cloud]:
    """While the block runs, both sides answer; afterwards nothing of it is left.

    Raises:
        TwofoldError: a part did not come up; what had come up before is gone again.
    """
    refuse_other_python(settings.target.python)
    settings = for_laptop(settings)
    ports = replace(ports, instance=instance.free_port(ports.instance))
    with ExitStack() as stack:
        front = stack.enter_context(listen(ports.function, FUNCTION_PORT_FLAG))
        workspace = stack.enter_context(Workspace(interrupts))
        embedded = embedded_aws.start(workspace, settings.needed(REGION))
        artifact = _built(root, settings, console)
        with console.step("Starting the embedded AWS"):
            embedded.wait()
        aws = furnished(embedded, settings)
        _provision(root, settings, artifact, aws, console)
        with console.step("Starting both runtimes from the uploaded artifact"):
            cloud = _both_sides(stack, Started(workspace, embedded, aws, settings), front, ports)
        if (desired := cloud.wanted.fleet.desired) > 1:
            console.note(f"The stack wants {desired} instances; one of them is played here.")
        yield cloud


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


def for_laptop(settings: Settings) -> Settings:
    """The same with the laptop's own bucket, and a region if none is set."""
    own = {
        REGION.name: settings[REGION] or DEFAULT_REGION,
        BUCKET.name: f"{settings.name}-artifacts-of-this-laptop",
    }
    return replace(settings, values=MappingProxyType({**settings.values, **own}))


def furnished(embedded: EmbeddedAws, settings: Settings) -> Aws:
    """The embedded AWS, with what has to be there before any stack: the bucket."""
    aws = Aws(embedded.region, embedded.endpoint, credentials=LOCAL_CREDENTIALS)
    aws.make_bucket(settings.needed(BUCKET))
    return aws


def _built(root: Path, settings: Settings, console: Console) -> Artifact:
    target = host(settings.target.python)
    with console.step(f"Building the artifact for {target.platform}"):
        artifact = build(root, target, settings.name, console, root / ".twofold" / "cache")
    same = target == settings.target
    deployed = "the one that AWS would run" if same else f"AWS gets {settings.target.platform}"
    console.note(f"Artifact {artifact.sha256} ({deployed})")
    return artifact


def _provision(
    root: Path, settings: Settings, artifact: Artifact, aws: Aws, console: Console
) -> None:
    try:
        destination = survey(aws, settings, local=True)
        made = plan(settings, artifact, destination.bucket, composer(settings, root))
        provision(aws, destination, made, console)
    except KeyboardInterrupt:
        # Without what is said of a stack that goes on in AWS: this one ends with the AWS.
        raise KeyboardInterrupt from None


@dataclass(frozen=True)
class Started:
    """What is there before the two runtimes are."""

    workspace: Workspace
    embedded: EmbeddedAws
    aws: Aws
    settings: Settings


def _both_sides(stack: ExitStack, there: Started, front: socket.socket, ports: Ports) -> Cloud:
    want = wanted(there.aws, there.settings.stack)
    folder, endpoint = there.workspace.folder, there.embedded.endpoint
    installed = fetch(there.aws, want.release, instance.layout(folder).home)
    one = instance.start(there.workspace, there.settings.name, installed, ports.instance, endpoint)
    background = stack.enter_context(Background())
    code = site(there.workspace, there.aws, want, endpoint)
    side = serve(stack, background, code, want.domain, front)
    one.wait()
    stack.callback(one.stop)
    record = LocalCloud(
        pid=os.getpid(),
        endpoint=endpoint,
        functions_endpoint=side.functions_endpoint,
        function_url=side.url,
        instance_url=one.url,
        bucket=there.settings.needed(BUCKET),
        region=there.embedded.region,
    )
    return Cloud(
        record, there.settings, want, there.aws, there.embedded, one, side, there.workspace
    )
