"""What each side runs against what it should run."""

from __future__ import annotations

import pytest

from deploy.artifact import ReleasePointer
from deploy.aws.running import FleetState, InstanceState
from deploy.stack import Stack
from deploy.stack.status import Side, Status, lines, release_of

NEW, OLD = "a" * 64, "b" * 64
RELEASE = ReleasePointer("artifacts", f"hello/artifacts/{NEW}.zip", NEW, "build-7")
STACK = Stack("arn", "hello-dev", "UPDATE_COMPLETE", "", {"FunctionUrl": "https://x/"})
CREATE = "twofold provision --stage dev"


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
