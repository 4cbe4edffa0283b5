"""The queue workers of an instance, under the real supervisord: releases, and what goes wrong."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.instances import Instance, started

WORKER = "worker:worker_0"


@pytest.fixture
def working(tmp_path: Path) -> Iterator[Instance]:
    """An instance that works off a queue, and whose first release does both well."""
    with started(tmp_path.resolve(), SERVICE_WORKER_QUEUES="orders") as made:
        made.until(lambda: made.state(WORKER) == "RUNNING")
        yield made


def log(instance: Instance) -> list[str]:
    return (instance.root / "logs/worker_0.log").read_text().splitlines()


def point(instance: Instance, digest: str) -> None:
    (instance.home / "current").unlink()
    (instance.home / "current").symlink_to(f"releases/{digest}")


def test_a_queue_worker_runs_the_current_release(working: Instance) -> None:
    (release,) = working.queue_workers().values()
    assert release == working.link("current") == working.link("good")
    assert log(working) == [f"working {release}"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_queue_worker_that_somebody_else_ended_comes_back(
    working: Instance, number: signal.Signals
) -> None:
    (before,) = working.queue_workers()
    os.kill(int(before), number)
    working.until(lambda: working.queue_workers().keys() - {before})
    assert set(working.queue_workers().values()) == {working.link("current")}


def test_where_there_is_no_queue_the_worker_ends_and_stays_ended(serving: Instance) -> None:
    serving.until(lambda: serving.state(WORKER) == "EXITED")
    supervisord = (serving.root / "logs/supervisord.log").read_text()
    assert supervisord.count("spawned: 'worker_0'") == 1
    assert "exited: worker_0 (exit status 77; expected)" in supervisord
    serving.release("second")
    ran = serving.install()
    assert (ran.returncode, "worker" in ran.stderr) == (0, False)
    assert serving.state(WORKER) == "EXITED"


def test_a_release_restarts_the_queue_worker_after_those_that_serve(working: Instance) -> None:
    before = working.link("current")
    digest = working.release("second")
    ran = working.install()
    assert ran.returncode == 0, ran.stderr
    restarted = [line.split()[2] for line in ran.stderr.splitlines() if "restarting" in line]
    assert restarted == ["service:service_0", "service:service_1", WORKER]
    assert list(working.queue_workers().values()) == [digest]
    assert log(working) == [f"working {before}", f"ended {before}", f"working {digest}"]


def test_a_second_run_leaves_the_queue_worker_alone(working: Instance) -> None:
    before = working.queue_workers()
    working.repeat()
    ran = working.install()
    assert "is current and healthy; nothing to do" in ran.stderr
    assert working.queue_workers() == before


def test_a_release_waits_for_what_the_queue_worker_has_in_hand(working: Instance) -> None:
    slow = working.release("slow", "worker slow")
    assert working.install().returncode == 0
    digest = working.release("next")
    ran = working.install()
    assert ran.returncode == 0, ran.stderr
    assert log(working)[-2:] == [f"ended {slow}", f"working {digest}"]


@pytest.mark.parametrize(
    ("behaviour", "reason", "written"),
    [
        ("worker crash", "worker:worker_0 does not start: ", "cannot work: no database"),
        ("worker short life", "worker:worker_0 did not last", "cannot go on: no memory"),
    ],
)
def test_a_queue_worker_that_does_not_last_takes_the_release_back(
    working: Instance, behaviour: str, reason: str, written: str
) -> None:
    good = working.link("current")
    bad = working.release("bad", behaviour)
    ran = working.install(SERVICE_SETTLE_SECONDS="4")
    assert ran.returncode == 1
    assert f"release {bad[:12]}…: {reason}" in ran.stderr
    assert written in ran.stderr
    assert working.link("current") == working.link("good") == good
    assert set(working.workers().values()) == {good}
    assert list(working.queue_workers().values()) == [good]
    assert working.install().returncode == 0, "the same pointer is left alone"


def test_a_run_that_was_killed_between_the_workers_is_finished(working: Instance) -> None:
    old, digest = working.link("current"), working.release("second")
    assert working.install().returncode == 0
    point(working, old)
    working.control("restart", WORKER)
    point(working, digest)
    assert list(working.queue_workers().values()) == [old]
    assert working.install().returncode == 0
    assert list(working.queue_workers().values()) == [digest]


def test_a_supervisord_that_knows_no_queue_worker_is_no_failure(tmp_path: Path) -> None:
    with started(tmp_path.resolve()) as older:
        older.control("stop", "worker:*")
        assert "removed" in older.control("remove", "worker").stdout
        older.variables = {"SERVICE_WORKER_QUEUES": "orders"}
        digest = older.release("second")
        ran = older.install()
        assert ran.returncode == 0, ran.stderr
        assert set(older.workers().values()) == {digest}
