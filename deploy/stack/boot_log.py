"""EDGE: what instances logged that did not boot, read while their log group is still there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from deploy import logical_id
from deploy.errors import AwsError
from deploy.stack import StackEvent, StackResource

_SHOWN_LINES = 20
_SHOWN_INSTANCES = 3
# CloudFormation's word in the event of a signal; an instance signals under its own ID.
_FAILED_BOOT = re.compile(r"Received FAILURE signal with UniqueId (i-[0-9a-f]+)")


class LogReader(Protocol):
    """Who can be asked for the lines of a log; Aws can."""

    def resources(self, stack: str) -> Sequence[StackResource]: ...
    def log_lines(self, group: str, stream: str) -> Sequence[str]: ...


@dataclass
class BootLogs:
    """The logs of the instances of one stack that have signalled a failure."""

    aws: LogReader
    stack_id: str
    _read: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _problem: str = ""

    def look(self, events: Iterable[StackEvent]) -> None:
        """The log of each instance that fails in these events is kept.

        One that has not arrived is looked for again the next time; a rollback deletes the
        log group, so it cannot wait for the end.
        """
        for event in events:
            if failed := _FAILED_BOOT.search(event.reason):
                self._read.setdefault(failed[1], ())
        for instance, lines in self._read.items():
            if not lines:
                self._read[instance] = self._lines(instance)

    def report(self) -> tuple[str, ...]:
        """The end of each log, or that there is none; empty when no instance has failed."""
        instances = list(self._read)[:_SHOWN_INSTANCES]
        return tuple(line for instance in instances for line in self._told(instance))

    def _told(self, instance: str) -> Iterable[str]:
        lines = self._read[instance]
        if lines:
            yield f"The end of the log of instance {instance}:"
            yield from (f"  {line}" for line in lines[-_SHOWN_LINES:])
        elif self._problem:
            yield f"The log of instance {instance} cannot be read: {self._problem}"
        else:
            yield f"Instance {instance} sent no log."

    def _lines(self, instance: str) -> tuple[str, ...]:
        """The stream that ops/cloud-init/user-data.sh writes before it signals the failure."""
        stream = f"{instance}/bootstrap"
        try:
            return tuple(
                line
                for one in self.aws.resources(self.stack_id)
                if one.logical_id == logical_id.INSTANCE_LOGS
                for line in self.aws.log_lines(one.physical_id, stream)
            )
        except AwsError as error:  # the stack's own end matters more
            self._problem = str(error)
            return ()
