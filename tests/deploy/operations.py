"""A stack whose operation is played from a script, for the tests of what watches one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from deploy.stack import STACK_TYPE, Stack, StackEvent, StackResource

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(
    logical_id: str, status: str, reason: str = "", *, second: float = 0, number: int = 0
) -> StackEvent:
    kind = STACK_TYPE if logical_id == "hello-dev" else "AWS::X::Thing"
    time = START + timedelta(seconds=second)
    name = f"{logical_id}-{status}-{second}-{number}"
    return StackEvent(name, time, logical_id, f"physical-{logical_id}", kind, status, reason)


def own(status: str, reason: str = "") -> StackEvent:
    """An event of the stack itself."""
    return event("hello-dev", status, reason)


@dataclass
class Scripted:
    """Shows the next status and the next events at each look; the last ones stay."""

    looks: Sequence[tuple[str, Sequence[StackEvent]]]
    before: Sequence[StackEvent] = ()
    looked: int = 0
    logs: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    def stack(self, name: str) -> Stack | None:
        status = self.looks[min(self.looked, len(self.looks) - 1)][0]
        return Stack(name, "hello-dev", status, "", {})

    def events(self, stack: str, after: str = "") -> Sequence[StackEvent]:
        self.looked += 1
        shown = [*self.before, *(e for _, events in self.looks[: self.looked] for e in events)]
        known = [one.id for one in shown]
        return shown[known.index(after) + 1 if after in known else 0 :]

    def resources(self, stack: str) -> Sequence[StackResource]:
        complete = "CREATE_COMPLETE"
        function = StackResource("ServiceFunctionLogs", "/f", "AWS::Logs::LogGroup", complete)
        group = StackResource("ServiceInstanceLogs", "/twofold/x", "AWS::Logs::LogGroup", complete)
        return [function, group] if stack else []

    def log_lines(self, group: str, stream: str) -> Sequence[str]:
        return self.logs[group, stream]


@dataclass
class Time:
    """A clock that goes on only when somebody sleeps."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)
    wake: Callable[[], None] = lambda: None

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.wake()
        self.slept.append(seconds)
        self.now += seconds
