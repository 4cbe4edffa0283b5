"""The EC2 side played by guests: as many as the Auto Scaling group of the stack wants."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from deploy.aws import Aws
from deploy.errors import LocalError
from deploy.local.guests.changes import Changes
from deploy.local.guests.fleet import Fleet
from deploy.local.guests.ground import prepare
from deploy.local.guests.guest import Guest
from deploy.local.guests.launch import Launcher
from deploy.local.guests.requirements import refuse_without
from deploy.local.instance_side import Begun, Laid
from deploy.local.laptop import embedded_as_aws
from deploy.local.running_release import Wanted
from deploy.local.workspace import Child
from deploy.settings import BUCKET
from deploy.target import host
from service.settings import PORT

_INSTEAD = "Without guests the instance is played by supervisord: leave --guests out."


class Guests:
    """A fleet of guests, each with an address of its own, replaced as the template says.

    Raises:
        LocalError: this machine cannot boot guests.
    """

    logs = "guests/*/upper/var/log/*/*_[0-9].log"
    follows = "cfn-hup brings it to each guest within a minute."
    fixed_url = ""
    children: Mapping[str, Child] = {}

    def __init__(self) -> None:
        refuse_without(_INSTEAD)
        self._fleet: Fleet | None = None
        self._launcher: Launcher | None = None

    @property
    def url(self) -> str:
        members = self._fleet.members() if self._fleet else ()
        serving = [one.public_address for one in members if one.state == "InService"]
        return f"http://{serving[0]}:{PORT}" if serving else ""

    def said_by(self, log: Path) -> str:
        """The beginning of the guest's ID."""
        return next(part for part in log.parts if part.startswith("i-"))[:8]

    def lay(self, stack: ExitStack, begun: Begun) -> Laid:
        """The gateway, through which the stack is made, and the fleet that it asks for.

        Raises:
            LocalError: image, packages or gateway cannot be made.
        """
        settings = begun.settings
        aws = embedded_as_aws(begun.embedded.endpoint, settings)
        note = begun.console.note
        fleet = Fleet(self._launch, note)
        changes = Changes(aws, settings.stack, settings.needed(BUCKET), fleet, note)
        prepared = prepare(stack, begun, changes)
        architecture = host(settings.target.python).architecture
        self._fleet = stack.enter_context(fleet)
        self._launcher = Launcher(prepared.ground, aws, settings.stack, architecture)
        stack.enter_context(changes)
        return prepared.laid

    def _launch(self, version: str) -> Guest:
        if self._launcher is None:
            raise LocalError("No guest can be launched before there is a stack. Report this.")
        return self._launcher(version)

    def start(self, stack: ExitStack, begun: Begun, aws: Aws, want: Wanted) -> None:
        """The instances came up with the stack."""

    def wait(self) -> None:
        """Each has signalled success, or the stack would not be there."""
