"""What each side runs against what it should run."""

from __future__ import annotations

import json

import pytest

from deploy.artifact import ReleasePointer
from deploy.aws.running import FleetState, InstanceState
from deploy.stack import Stack
from deploy.stack.status import (
    Failure,
    LogStream,
    Side,
    Status,
    failure_of,
    lines,
    release_of,
)

NEW, OLD = "a" * 64, "b" * 64
RELEASE = ReleasePointer("artifacts", f"hello/artifacts/{NEW}.zip", NEW, "build-7")
STACK = Stack("arn", "hello-dev", "UPDATE_COMPLETE", "", {"FunctionUrl": "https://x/"})
CREATE = "Create it with: twofold provision --stage dev"


def fleet(*states: str) -> FleetState:
    instances = tuple(InstanceState(f"i-{n}", s, "Healthy", "", "1") for n, s in enumerate(states))
    return FleetState("fleet", 2, 1, 3, instances)


def status(*sides: Side, fleet: FleetState | None = None) -> Status:
    return Status("hello-dev", "eu-central-1", STACK, RELEASE, None, fleet, sides)


def test_sides_that_run_the_release_have_no_drift() -> None:
    found = status(Side("lambda", NEW), Side("instance i-1", NEW))
    assert found.drift == ()
    assert lines(found, CREATE)[-1] == "Every side runs the release aaaaaaaaaaaa."


def test_a_side_that_runs_another_release_is_named() -> None:
    found = status(Side("lambda", NEW), Side("instance i-1", OLD))
    assert found.drift == ("instance i-1 runs bbbbbbbbbbbb, but the release is aaaaaaaaaaaa.",)
    assert f"Drift    {found.drift[0]}" in lines(found, CREATE)


def test_a_side_that_does_not_say_is_named() -> None:
    found = status(Side("instance i-1", "", note="timed out"))
    assert found.drift == ("instance i-1: its digest is unknown (timed out).",)


def test_instances_that_are_missing_are_counted() -> None:
    found = status(Side("lambda", NEW), fleet=fleet("InService", "Pending"))
    assert found.drift == ("1 of 2 instances are in service.",)
    assert status(Side("lambda", NEW), fleet=fleet("InService", "InService")).drift == ()


def test_a_stack_without_a_release_has_no_drift() -> None:
    found = Status("hello-dev", "eu-central-1", STACK, sides=(Side("lambda", NEW),))
    assert found.drift == ()
    assert "Release  none is named by the stack" in lines(found, CREATE)


def test_the_status_reads_from_the_stack_down_to_the_sides() -> None:
    assert lines(status(Side("lambda", NEW, "https://x/", "warm")), CREATE)[:5] == (
        "Stack    hello-dev in eu-central-1: UPDATE_COMPLETE",
        f"Release  {NEW}",
        f"         build build-7, s3://artifacts/hello/artifacts/{NEW}.zip",
        f"Runs     lambda: {NEW}  https://x/  warm",
        "Output   FunctionUrl = https://x/",
    )


@pytest.mark.parametrize("metadata", [{}, {"Release": "text"}, {"Other": {}}])
def test_metadata_without_a_release_gives_none(metadata: dict[str, object]) -> None:
    assert release_of(metadata) is None


def test_the_release_comes_out_of_the_metadata() -> None:
    metadata = {
        "Release": {
            "Bucket": "artifacts",
            "Key": RELEASE.key,
            "Sha256": NEW,
            "BuildId": "build-7",
        }
    }
    assert release_of(metadata) == RELEASE


def test_without_a_fleet_the_release_comes_out_of_the_outputs() -> None:
    release = release_of({}, {"ArtifactDigest": NEW, "BuildId": "build-7"})
    assert release == ReleasePointer("", "", NEW, "build-7")
    found = Status("hello-dev", "eu-central-1", STACK, release, sides=(Side("lambda", OLD),))
    assert found.drift == ("lambda runs bbbbbbbbbbbb, but the release is aaaaaaaaaaaa.",)
    assert lines(found, CREATE)[1:3] == (f"Release  {NEW}", "         build build-7")


STREAM = LogStream("/twofold/hello-dev/instances", "i-1/release")


def outcome(level: str, release: str, message: str = "no database") -> str:
    """A line of ops/instance/event.py."""
    line = {
        "level": level,
        "logger": "install-release",
        "message": message,
        "release": release,
        "build": "build-7",
        "kept": OLD,
        "instance": "i-1",
        "log": "one\ntwo",
    }
    return json.dumps(line)


def test_the_last_outcome_says_why_the_release_was_not_taken() -> None:
    said = [outcome("ERROR", NEW, "first"), "no JSON", '{"logger": "cfn-hup"}', "[]"]
    assert failure_of([*said, outcome("ERROR", NEW)], NEW, STREAM) == Failure(
        "no database", OLD, "one\ntwo", STREAM
    )
    assert failure_of(said, NEW, STREAM) == Failure("first", OLD, "one\ntwo", STREAM)


@pytest.mark.parametrize(
    "said",
    [
        [],
        [outcome("ERROR", OLD)],
        [outcome("ERROR", NEW), outcome("ERROR", OLD)],
        [outcome("ERROR", NEW), outcome("INFO", NEW)],
        [outcome("ERROR", NEW).replace("install-release", "service")],
    ],
    ids=["nothing", "another release", "another one last", "installed", "another logger"],
)
def test_what_is_not_the_last_word_on_the_release_is_no_failure(said: list[str]) -> None:
    assert failure_of(said, NEW, STREAM) is None


def test_a_failure_is_shown_with_its_reason_and_where_its_log_is() -> None:
    failure = Failure("it ended with exit status 1: no database", OLD, "one\ntwo", STREAM)
    found = status(Side("instance i-1", OLD, failure=failure))
    assert lines(found, CREATE)[-1] == (
        "Failed   instance i-1: kept bbbbbbbbbbbb: it ended with exit status 1: no database "
        "(log group /twofold/hello-dev/instances, stream i-1/release)"
    )
    (side,) = found.document()["sides"]
    assert side["failure"] == {
        "reason": "it ended with exit status 1: no database",
        "kept": OLD,
        "log": "one\ntwo",
        "stream": {"group": "/twofold/hello-dev/instances", "name": "i-1/release"},
    }


def test_an_instance_without_any_release_kept_none() -> None:
    found = status(Side("instance i-1", "", failure=Failure("no database", "", "", STREAM)))
    assert lines(found, CREATE)[-1].startswith("Failed   instance i-1: kept no release: no data")
