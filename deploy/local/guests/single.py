"""One guest of a stack's launch template, whatever size its group has: what to try ops/ with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.connection import LocalCloud
from deploy.console import Console
from deploy.local import embedded_aws
from deploy.local.guests.ground import prepare
from deploy.local.guests.guest import Guest
from deploy.local.guests.launch import Launcher
from deploy.local.guests.played import Member
from deploy.local.guests.requirements import refuse_without
from deploy.local.instance_side import Begun, Laid
from deploy.local.interrupts import Interrupts
from deploy.local.laptop import built, for_laptop, furnished, provisioned
from deploy.local.server import Background
from deploy.local.workspace import Workspace
from deploy.settings import BUCKET, REGION, Settings
from deploy.stack import StackEvent
from deploy.target import host


@dataclass
class Single:
    """The guest and its signal: all that is played of a fleet here; the stack is as it is.

    `signal` is SUCCESS, FAILURE, or empty before user data has ended.
    """

    guest: Guest | None = None
    signal: str = ""

    def members(self, group: str) -> Sequence[Member]:  # noqa: ARG002  there is one group
        """The guest, in service once it has signalled success."""
        if self.guest is None:
            return ()
        described = self.guest.described
        return (
            Member(
                instance=described.instance,
                state="InService" if self.signal == "SUCCESS" else "Pending",
                launch_template_version="1",
                private_address=described.private_address,
                public_address=described.public_address,
                zone=described.zone,
                type=described.type,
                image=described.image,
            ),
        )

    def signalled(self, stack: str, logical_id: str, instance: str, status: str) -> str:  # noqa: ARG002
        """Every signal is taken."""
        self.signal = status
        return ""

    def shown_stack_status(self, stack: str, status: str) -> str:  # noqa: ARG002
        """As it is."""
        return status

    def more_events(self, stack: str) -> Sequence[StackEvent]:  # noqa: ARG002
        """None."""
        return ()

    def held_back(self, stack: str, event: StackEvent) -> bool:  # noqa: ARG002
        """None is."""
        return False

    def executed(self, stack: str, change_set: str) -> None:
        """Nothing is played for it."""


@dataclass(frozen=True)
class Booted:
    """A guest that has been started, and what other commands may know of it."""

    guest: Guest
    single: Single
    record: LocalCloud


@contextmanager
def boot(
    root: Path, settings: Settings, console: Console, interrupts: Interrupts, *, bare: bool
) -> Iterator[Booted]:
    """While the block runs, the stack is in an embedded AWS and one guest of it is up.

    Raises:
        TwofoldError: a part did not come up; nothing is left then.
    """
    refuse_without()
    settings = for_laptop(settings)
    with ExitStack() as stack:
        workspace = stack.enter_context(Workspace(interrupts))
        embedded = embedded_aws.start(workspace, settings.needed(REGION))
        artifact = built(root, settings, console)
        embedded.wait()
        background = stack.enter_context(Background())
        single = Single()
        begun = Begun(root, workspace, background, embedded, settings, console)
        prepared = prepare(stack, begun, single, bare=bare)
        settings = for_laptop(settings, **prepared.laid.settings)
        aws = furnished(prepared.laid.endpoint, settings)
        provisioned(root, settings, artifact, aws, console)
        launch = Launcher(
            prepared.ground, aws, settings.stack, host(settings.target.python).architecture
        )
        guest = launch("$Latest")
        single.guest = guest
        guest.start()
        stack.callback(guest.stop)
        yield Booted(guest, single, _record(workspace, settings, prepared.laid))


def _record(workspace: Workspace, settings: Settings, laid: Laid) -> LocalCloud:
    """No function is played."""
    return LocalCloud(
        pid=os.getpid(),
        endpoint=laid.endpoint,
        functions_endpoint=laid.endpoint,
        function_url="",
        instance_url="",
        bucket=settings.needed(BUCKET),
        region=settings.needed(REGION),
        folder=str(workspace.folder),
        settings=laid.settings,
    )
