"""How a run of install-release ended, as it gets into the instances' log group."""

import pytest

from tests.ops.instances import Instance

GROUP = {
    "SERVICE_LOG_GROUP": "/twofold/hello-dev/instances",
    "SERVICE_INSTANCE": "i-0123456789abcdef0",
}
STREAM = "--log-group-name /twofold/hello-dev/instances --log-stream-name i-0123456789abcdef0/rel"


def logged(instance: Instance) -> list[str]:
    return [call for call in instance.calls() if call.startswith("logs ")]


def test_a_failure_is_one_event_with_reason_and_log(steady: Instance) -> None:
    good = steady.link("current")
    digest = steady.release("broken", "crash", build="build-7")
    assert steady.install(**GROUP).returncode == 1
    assert steady.reported() == {
        "level": "ERROR",
        "logger": "install-release",
        "message": "it ended with exit status 1: cannot start: no database",
        "release": digest,
        "build": "build-7",
        "kept": good,
        "instance": "i-0123456789abcdef0",
        "log": "cannot start: no database",
    }
    create, put = logged(steady)[-2:]
    assert create.startswith("logs create-log-stream --region eu-west-1 ")
    assert put.startswith("logs put-log-events --region eu-west-1 ")
    assert STREAM in create
    assert STREAM in put


def test_a_release_that_failed_before_is_not_reported_again(steady: Instance) -> None:
    steady.release("broken before", "crash")
    assert steady.install(**GROUP).returncode == 1
    told = len(logged(steady))
    assert steady.install(**GROUP).returncode == 0
    assert len(logged(steady)) == told


def test_without_a_log_group_nothing_is_reported(steady: Instance) -> None:
    told = len(logged(steady))
    steady.release("broken unseen", "crash")
    assert steady.install().returncode == 1
    assert len(logged(steady)) == told


@pytest.mark.parametrize(("behaviour", "ends"), [("good", 0), ("shared crash", 1)])
def test_a_log_group_out_of_reach_changes_nothing_else(
    serving: Instance, behaviour: str, ends: int
) -> None:
    (serving.cloud / "no-logs").touch()
    good = serving.link("current")
    digest = serving.release("second", behaviour)
    ran = serving.install(**GROUP)
    assert ran.returncode == ends
    assert serving.link("current") == (good if ends else digest)
    assert (
        "cannot write to log group /twofold/hello-dev/instances, "
        "stream i-0123456789abcdef0/release\n"
    ) in ran.stderr


def test_a_success_is_one_event(serving: Instance) -> None:
    digest = serving.release("second")
    assert serving.install(**GROUP).returncode == 0
    told = serving.reported()
    assert told["level"] == "INFO"
    assert told["message"] == f"release {digest[:12]}… is installed"
    assert told["release"] == told["kept"] == digest
    assert told["log"] == ""


def test_a_worker_that_does_not_come_up_is_reported_with_its_log(serving: Instance) -> None:
    good = serving.link("current")
    digest = serving.release("bad", "shared crash")
    assert serving.install(**GROUP).returncode == 1
    told = serving.reported()
    assert (told["release"], told["kept"]) == (digest, good)
    assert told["message"].startswith("service:service_0 does not start: ")
    assert told["log"].endswith("cannot start: no database")


def test_what_nobody_foresaw_is_reported_with_its_line(instance: Instance) -> None:
    digest = instance.release("first")
    (instance.home / "downloads").write_text("a file where a folder should be")
    ran = instance.install(**GROUP)
    assert ran.returncode == 1
    assert instance.reported()["release"] == digest
    assert instance.reported()["message"].startswith("line ")
    assert 'of release.sh: mkdir -p "${file%/*}"' in instance.reported()["message"]
    assert ran.stderr.splitlines()[-1].endswith("; no release is installed")
