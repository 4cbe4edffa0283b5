"""A work queue as the topology declares it, and what both sides are told of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from troposphere import Sub

from deploy import logical_id

Runtime = Literal["lambda", "instance"]
RUNTIMES: tuple[Runtime, ...] = ("lambda", "instance")


@dataclass(frozen=True)
class Queue:
    """What `work_queue` was told: see there."""

    name: str
    runtime: Runtime
    is_fifo: bool = False
    batch_size: int | None = None
    max_receives: int = 5
    visibility_seconds: int | None = None
    retention_days: int = 4
    oldest_minutes: int = 60

    @property
    def logical_id(self) -> str:
        """Another one for whatever makes CloudFormation replace the queue: see `derived`."""
        return logical_id.derived(f"{self.title}Queue", self.name, self._suffix)

    @property
    def dead_letters_id(self) -> str:
        """The logical ID of its dead-letter queue."""
        return logical_id.derived(f"{self.title}DeadLetters", self.name, self._suffix)

    @property
    def title(self) -> str:
        """How the logical IDs of its parts begin."""
        return logical_id.titled(self.name)

    def physical_name(self, stack: str) -> str:
        """What SQS calls it, such as 'hello-dev-orders'."""
        return f"{stack}-{self.name}{self._suffix}"

    def dead_letters_name(self, stack: str) -> str:
        """What SQS calls its dead-letter queue, such as 'hello-dev-orders-dead-letters'."""
        return f"{stack}-{self.name}-dead-letters{self._suffix}"

    @property
    def _suffix(self) -> str:
        """Amazon SQS API Reference, "CreateQueue": the name of a FIFO queue ends in it."""
        return ".fifo" if self.is_fifo else ""


def addresses(queues: Sequence[Queue]) -> Sub | str:
    """The value of SERVICE_QUEUES, `NAME=URL[,NAME=URL...]`; empty without queues."""
    named = ",".join(f"{queue.name}=${{{queue.logical_id}}}" for queue in queues)
    return Sub(named) if named else ""


def worked_on_instances(queues: Iterable[Queue]) -> str:
    """The value of SERVICE_WORKER_QUEUES, `NAME[,NAME...]`."""
    return ",".join(queue.name for queue in queues if queue.runtime == "instance")
