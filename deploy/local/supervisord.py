"""The EC2 side played by supervisord as whoever runs this: one instance, no guest, no root."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from deploy.aws import Aws
from deploy.composition import topology_queues
from deploy.local import instance
from deploy.local.instance import Instance, free_port
from deploy.local.instance_side import Begun, Laid
from deploy.local.release import fetch
from deploy.local.running_release import Wanted
from deploy.local.workspace import Child
from deploy.template.queue import worked_on_instances


class Supervisord:
    """One instance on a port of 127.0.0.1, whatever size the fleet has.

    Args:
        port: 0 takes a free one.

    Raises:
        LocalError: the port is in use.
    """

    logs = "instance/log/*_[0-9].log"
    follows = "The instance keeps its release until 'twofold up' is started again."

    def __init__(self, port: int) -> None:
        self._port = free_port(port)
        self._instance: Instance | None = None

    @property
    def url(self) -> str:
        return self._instance.url if self._instance else ""

    @property
    def fixed_url(self) -> str:
        return self.url

    @property
    def children(self) -> Mapping[str, Child]:
        return {"supervisord": self._instance.child} if self._instance else {}

    def said_by(self, log: Path) -> str:  # noqa: ARG002  there is one
        return "instance"

    def lay(self, stack: ExitStack, begun: Begun) -> Laid:  # noqa: ARG002  nothing to take away
        return Laid(begun.embedded.endpoint)

    def start(self, stack: ExitStack, begun: Begun, aws: Aws, want: Wanted) -> None:
        """supervisord starts with the release, fetched from where the stack says.

        Raises:
            LocalError: the port is in use, or the artifact is not what its digest says.
        """
        workspace, endpoint = begun.workspace, begun.embedded.endpoint
        home = instance.layout(workspace.folder).home
        installed = fetch(aws, want.release, home)
        name, own = begun.settings.name, _own(want)
        self._instance = instance.start(workspace, name, installed, self._port, endpoint, own=own)
        stack.callback(self._instance.stop)
        if want.fleet.desired > 1:
            begun.console.note(
                f"The stack wants {want.fleet.desired} instances; one of them is played here."
            )

    def wait(self) -> None:
        """A worker answers with the release's digest.

        Raises:
            LocalError: none does in time, or supervisord ended.
        """
        if self._instance is not None:
            self._instance.wait()


def _own(want: Wanted) -> dict[str, str]:
    """What user data would write of the stack: both sides know the same queues."""
    return {
        "AWS_REGION": want.function.region,
        "AWS_DEFAULT_REGION": want.function.region,
        "SERVICE_QUEUES": want.function.environment.get("SERVICE_QUEUES", ""),
        "SERVICE_WORKER_QUEUES": worked_on_instances(topology_queues()),
    }
