"""What runs, as AWS and the instances themselves report it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FunctionState:
    """A Lambda function as it is.

    `sha256` is its zip's, as 64 hex digits; `memory` is in MB, `timeout` in seconds;
    `update` is the last update's status, such as 'Successful'.
    """

    name: str
    runtime: str
    architecture: str
    handler: str
    memory: int
    timeout: int
    sha256: str
    environment: Mapping[str, str]
    state: str
    update: str


@dataclass(frozen=True)
class InstanceState:
    """A member of the fleet; `address` is public where it has one, else private, else empty."""

    id: str
    state: str
    health: str
    address: str
    launch_template_version: str


@dataclass(frozen=True)
class FleetState:
    """An Auto Scaling group as it is; `launch_template_version` is what new instances get."""

    name: str
    desired: int
    minimum: int
    maximum: int
    instances: tuple[InstanceState, ...]
    launch_template_version: str = ""


@dataclass(frozen=True)
class LaunchTemplateState:
    """One version of a launch template; `user_data` is decoded, `key` empty without one.

    `tokens_required` says that the metadata service answers only with a session token
    (IMDSv2).
    """

    image: str
    type: str
    key: str
    user_data: bytes
    tokens_required: bool


@dataclass(frozen=True)
class QueueMapping:
    """An event source mapping from an SQS queue to a function."""

    id: str
    queue_arn: str
    batch_size: int
    reports_failures: bool
    is_enabled: bool

    @property
    def queue(self) -> str:
        """What SQS calls the queue."""
        return self.queue_arn.rpartition(":")[2]


@dataclass(frozen=True)
class Invocation:
    """What a direct invocation gave.

    `error` is Lambda's FunctionError ('Unhandled'), empty after success; `log` is the end
    of the invocation's log, at most 4 KB.
    """

    payload: bytes
    error: str
    log: str


@dataclass(frozen=True)
class Identity:
    """Who the credentials belong to."""

    account: str
    arn: str
