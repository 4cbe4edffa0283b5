"""EDGE: which AWS a command talks to: the real one, or the one that `twofold up` plays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from deploy import project
from deploy.aws import Aws
from deploy.errors import LocalError
from deploy.setting import Setting
from deploy.settings import BUCKET, REGION, Settings

RECORD = Path(".twofold") / "local.json"
LOCAL_CREDENTIALS = ("test", "test")


class ForeignRecordError(LocalError):
    """A cloud of another user may run in this project; only that user can tell."""


@dataclass(frozen=True)
class LocalCloud:
    """What `twofold up` writes down about itself while it runs.

    `instance_url` is empty when the fleet is played by guests: they come and go, and the
    embedded AWS knows them. `folder` holds what runs. `settings` are what the stack has here
    beside bucket and region, so that provisioning again changes none of them.
    """

    pid: int
    endpoint: str
    functions_endpoint: str
    function_url: str
    instance_url: str
    bucket: str
    region: str
    folder: str
    settings: Mapping[str, object]

    def own(self, declared: Iterable[Setting[Any]]) -> dict[str, object]:
        """What is its own among the general settings and the declared ones, by name."""
        laid = {one.name: self.settings[one.name] for one in declared if one.name in self.settings}
        return {**laid, BUCKET.name: self.bucket, REGION.name: self.region}


@dataclass(frozen=True)
class Connection:
    """The settings of a command, and the AWS that they are for."""

    settings: Settings
    aws: Aws
    local: LocalCloud | None


def connect(
    flags: Mapping[str, object],
    declared: Iterable[Setting[Any]] = (),
    *,
    local: bool,
    others_allowed: bool = False,
) -> Connection:
    """The settings are read, and nothing is asked of AWS yet.

    Raises:
        SettingsError: all that is wrong with the settings.
        LocalError: `local`, but no `twofold up` runs.
    """
    if not local:
        settings = project.settings(flags, declared, others_allowed=others_allowed)
        return Connection(settings, Aws(region=settings[REGION]), None)
    cloud = running_cloud(project.ROOT)
    declared = tuple(declared)
    given = {**flags, **cloud.own(declared)}
    settings = project.settings(given, declared, others_allowed=others_allowed)
    aws = Aws(cloud.region, cloud.endpoint, cloud.functions_endpoint, LOCAL_CREDENTIALS)
    return Connection(settings, aws, cloud)


def running_cloud(root: Path, need: str = "--local needs a running 'twofold up'") -> LocalCloud:
    """The record of the `twofold up` that runs in this project.

    Args:
        need: how the message begins when none does.

    Raises:
        ForeignRecordError: its record is another user's.
        LocalError: none runs, or its record cannot be understood.
    """
    path = root / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        cloud = LocalCloud(**{field.name: record[field.name] for field in fields(LocalCloud)})
    except FileNotFoundError:
        raise LocalError(
            f"{need}, and none runs in this project. Start it in another terminal."
        ) from None
    except PermissionError:
        raise ForeignRecordError(
            f"{path} belongs to another user: a 'sudo twofold' wrote it, as for guests. "
            "Use sudo for this command too."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(
            f"{path} is not what 'twofold up' writes ({error!r}). "
            "Delete it and start 'twofold up' again."
        ) from None
    if not _is_alive(cloud.pid):
        raise LocalError(
            f"{need}; the one that {path} names (process {cloud.pid}) has ended. "
            "Start it again in another terminal."
        )
    return cloud


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
