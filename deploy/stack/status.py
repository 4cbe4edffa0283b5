"""Which release each side should run, which it really runs, and whether that is the same. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from deploy import logical_id
from deploy.artifact import ReleasePointer
from deploy.aws.running import FleetState, FunctionState
from deploy.stack import Stack

_SHOWN_DIGEST = 12


@dataclass(frozen=True)
class LogStream:
    """Where lines stand in CloudWatch Logs."""

    group: str
    name: str


@dataclass(frozen=True)
class Failure:
    """Why an instance did not take a release; `kept` is the digest that it stayed with.

    `log` is the end of what the release wrote, empty when it wrote nothing.
    """

    reason: str
    kept: str
    log: str
    stream: LogStream


@dataclass(frozen=True)
class Side:
    """One thing that runs the service.

    `digest` is what it really runs, empty when nobody could say; `note` says why, or in
    which state it is; `failure` is why it does not run the stack's release, where known.
    """

    name: str
    digest: str
    url: str = ""
    note: str = ""
    failure: Failure | None = None


@dataclass(frozen=True)
class Status:
    """A stack and what runs in it; `stack` is None when there is none."""

    name: str
    region: str
    stack: Stack | None
    release: ReleasePointer | None = None
    function: FunctionState | None = None
    fleet: FleetState | None = None
    sides: tuple[Side, ...] = ()

    @property
    def drift(self) -> tuple[str, ...]:
        """A sentence for each side that does not run the release."""
        if self.release is None:
            return ()
        wanted = self.release.sha256
        found = [_drift(side, wanted) for side in self.sides if side.digest != wanted]
        return (*found, *_missing(self.fleet))

    def document(self) -> dict[str, Any]:
        """For --json; `exists` false is the answer for a stack that is not there."""
        return {
            "stack": self.name,
            "region": self.region,
            "exists": self.stack is not None,
            "status": self.stack.status if self.stack else None,
            "reason": self.stack.reason if self.stack else None,
            "outputs": dict(self.stack.outputs) if self.stack else {},
            "release": asdict(self.release) if self.release else None,
            "sides": [asdict(side) for side in self.sides],
            "drift": list(self.drift),
        }


def _drift(side: Side, wanted: str) -> str:
    if side.digest:
        return f"{side.name} runs {_short(side.digest)}, but the release is {_short(wanted)}."
    return f"{side.name}: its digest is unknown ({side.note or 'no answer'})."


def _missing(fleet: FleetState | None) -> tuple[str, ...]:
    if fleet is None:
        return ()
    serving = sum(one.state == "InService" for one in fleet.instances)
    if serving >= fleet.desired:
        return ()
    return (f"{serving} of {fleet.desired} instances are in service.",)


def lines(status: Status, remedy: str) -> tuple[str, ...]:
    """The status for a person; `remedy` says what to do when there is no stack."""
    if status.stack is None:
        return (f"Stack {status.name!r} does not exist in {status.region}. {remedy}",)
    reason = f" ({status.stack.reason})" if status.stack.reason else ""
    return (
        f"Stack    {status.name} in {status.region}: {status.stack.status}{reason}",
        *_release_lines(status.release),
        *(_side_line(side) for side in status.sides),
        *(f"Output   {key} = {value}" for key, value in sorted(status.stack.outputs.items())),
        *(f"Drift    {line}" for line in status.drift),
        *(_failure_line(side.name, side.failure) for side in status.sides if side.failure),
        *(_agreement(status)),
    )


def _release_lines(release: ReleasePointer | None) -> tuple[str, ...]:
    if release is None:
        return ("Release  none is named by the stack",)
    place = f", s3://{release.bucket}/{release.key}" if release.key else ""
    return (f"Release  {release.sha256}", f"         build {release.build_id}{place}")


def _side_line(side: Side) -> str:
    digest = side.digest or "unknown"
    extra = "  ".join(part for part in (side.url, side.note) if part)
    return f"Runs     {side.name}: {digest}" + (f"  {extra}" if extra else "")


def _failure_line(name: str, failure: Failure) -> str:
    stream = failure.stream
    kept = _short(failure.kept) or "no release"
    return (
        f"Failed   {name}: kept {kept}: {failure.reason} "
        f"(log group {stream.group}, stream {stream.name})"
    )


def _agreement(status: Status) -> tuple[str, ...]:
    if status.release is None or status.drift or not status.sides:
        return ()
    return (f"Every side runs the release {_short(status.release.sha256)}.",)


def _short(digest: str) -> str:
    return digest[:_SHOWN_DIGEST]


def release_of(
    metadata: Mapping[str, Any], outputs: Mapping[str, str] = MappingProxyType({})
) -> ReleasePointer | None:
    """The release pointer that stands in the fleet's metadata under Release.

    Of a stack without a fleet it is the digest and the build of its outputs, with no place.
    """
    release = metadata.get(logical_id.RELEASE)
    if isinstance(release, Mapping):
        keys = ("Bucket", "Key", "Sha256", "BuildId")
        return ReleasePointer(*(str(release.get(key, "")) for key in keys))
    digest = outputs.get(logical_id.OUTPUT_DIGEST)
    build_id = outputs.get(logical_id.OUTPUT_BUILD_ID, "")
    return ReleasePointer("", "", digest, build_id) if digest else None


def failure_of(lines: Sequence[str], wanted: str, stream: LogStream) -> Failure | None:
    """Why the release `wanted` was not taken, when that is the last thing the stream says.

    The lines are those of ops/instance/event.py; others are passed over.
    """
    outcomes = [outcome for outcome in map(_outcome, lines) if outcome]
    if not outcomes or outcomes[-1].get("level") != "ERROR":
        return None
    last = outcomes[-1]
    if last.get("release") != wanted:
        return None
    return Failure(
        str(last.get("message", "")), str(last.get("kept", "")), str(last.get("log", "")), stream
    )


def _outcome(line: str) -> Mapping[str, Any] | None:
    try:
        outcome = json.loads(line)
    except ValueError:
        return None
    logged = isinstance(outcome, dict) and outcome.get("logger") == "install-release"
    return outcome if logged else None
