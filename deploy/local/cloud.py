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
from dataclasses import dataclass
from pathlib import Path

from deploy.aws import Aws
from deploy.connection import LocalCloud
from deploy.console import Console
from deploy.local import embedded_aws
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.instance_side import Begun, InstanceSide, Laid
from deploy.local.interrupts import Interrupts
from deploy.local.lambda_side import LambdaSide, poll, serve, site
from deploy.local.laptop import built, for_laptop, furnished, provisioned, refuse_other_python
from deploy.local.running_release import Wanted, wanted
from deploy.local.server import Background, listen
from deploy.local.workspace import Workspace
from deploy.settings import BUCKET, REGION, Settings
from deploy.target import host

FUNCTION_PORT_FLAG = "--function-port"


@dataclass(frozen=True)
class Cloud:
    """What runs, and where it can be asked."""

    record: LocalCloud
    settings: Settings
    wanted: Wanted
    aws: Aws
    embedded: EmbeddedAws
    instances: InstanceSide
    function: LambdaSide
    workspace: Workspace

    @property
    def sides(self) -> dict[str, str]:
        """Side -> URL."""
        return {"lambda": self.record.function_url, "instance": self.instances.url}

    @property
    def is_as_deployed(self) -> bool:
        """Whether this machine runs the very artifact that AWS would."""
        return host(self.settings.target.python) == self.settings.target


@contextmanager
def play(
    root: Path,
    settings: Settings,
    function_port: int,
    instances: InstanceSide,
    *,
    console: Console,
    interrupts: Interrupts,
) -> Iterator[Cloud]:
    """While the block runs, both sides answer; afterwards nothing of it is left.

    Args:
        function_port: of the Function URL; 0 takes a free one.
        instances: who plays them.

    Raises:
        TwofoldError: a part did not come up; what had come up before is gone again.
    """
    refuse_other_python(settings.target.python)
    settings = for_laptop(settings)
    with ExitStack() as stack:
        front = stack.enter_context(listen(function_port, FUNCTION_PORT_FLAG))
        workspace = stack.enter_context(Workspace(interrupts))
        embedded = embedded_aws.start(workspace, settings.needed(REGION))
        artifact = built(root, settings, console)
        with console.step("Starting the embedded AWS"):
            embedded.wait()
        background = stack.enter_context(Background())
        begun = Begun(root, workspace, background, embedded, settings, console)
        laid = instances.lay(stack, begun)
        settings = for_laptop(settings, **laid.settings)
        aws = furnished(laid.endpoint, settings)
        provisioned(root, settings, artifact, aws, console)
        with console.step("Starting both runtimes from the uploaded artifact"):
            want = wanted(aws, settings.stack)
            instances.start(stack, begun, aws, want)
            side = _lambda_side(stack, begun, aws, want, front)
            poll(stack, background, aws, side)
            instances.wait()
        record = _record(workspace, settings, laid, side, instances)
        yield Cloud(record, settings, want, aws, embedded, instances, side, workspace)


def _lambda_side(
    stack: ExitStack, begun: Begun, aws: Aws, want: Wanted, front: socket.socket
) -> LambdaSide:
    code = site(begun.workspace, aws, want, begun.embedded.endpoint)
    return serve(stack, begun.background, code, want.domain, front)


def _record(
    workspace: Workspace,
    settings: Settings,
    laid: Laid,
    side: LambdaSide,
    instances: InstanceSide,
) -> LocalCloud:
    return LocalCloud(
        pid=os.getpid(),
        endpoint=laid.endpoint,
        functions_endpoint=side.functions_endpoint,
        function_url=side.url,
        instance_url=instances.fixed_url,
        bucket=settings.needed(BUCKET),
        region=settings.needed(REGION),
        folder=str(workspace.folder),
        settings=laid.settings,
    )
