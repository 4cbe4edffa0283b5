"""What a cloud on this machine asks of whoever plays its instances: supervisord, or guests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deploy.aws import Aws
from deploy.console import Console
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.running_release import Wanted
from deploy.local.server import Background
from deploy.local.workspace import Child, Workspace
from deploy.settings import Settings


@dataclass(frozen=True)
class Begun:
    """What is there before the stack is."""

    root: Path
    workspace: Workspace
    background: Background
    embedded: EmbeddedAws
    settings: Settings
    console: Console


@dataclass(frozen=True)
class Laid:
    """Where this side wants AWS to be asked, and what it sets in the settings."""

    endpoint: str
    settings: Mapping[str, object] = field(default_factory=dict)


class InstanceSide(Protocol):
    """The EC2 side of a cloud on this machine.

    `logs` are the log files of the service, a pattern below the workspace's folder;
    `children` the processes that must not end by themselves, by what a user calls them;
    `follows` says what becomes of a release that is provisioned meanwhile.
    """

    logs: str
    follows: str

    @property
    def url(self) -> str:
        """Where one instance can be asked now; empty when none can."""

    @property
    def fixed_url(self) -> str:
        """The same for as long as this runs; empty when only the fleet can say."""

    @property
    def children(self) -> Mapping[str, Child]: ...

    def said_by(self, log: Path) -> str:
        """Who is shown as the author of the lines of a log file."""

    def lay(self, stack: ExitStack, begun: Begun) -> Laid:
        """What has to be there before the stack is made; `stack` takes it away again."""

    def start(self, stack: ExitStack, begun: Begun, aws: Aws, want: Wanted) -> None:
        """The release of the finished stack is on its way up."""

    def wait(self) -> None:
        """It answers."""
