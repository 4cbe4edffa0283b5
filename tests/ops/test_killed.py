"""install-release is killed (SIGKILL) at every step, and the next run repairs."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ops import steps
from tests.ops.instances import ROOT, Instance, started

REPORTING = {"SERVICE_LOG_GROUP": "hello-dev-instances", "SERVICE_INSTANCE": "i-1"}
Renew = Callable[[], list[str]]


def killed_at_each(instance: Instance, found: list[str], renew: Renew) -> None:
    """One run after the other, each killed one step later than the one before.

    `renew` makes something to do and gives the arguments; it is called again when a run had
    so little left to do that it did not come to the step, as the one before had done it.
    """
    arguments = renew()
    for step in found:
        if not steps.killed_at(instance, step, *arguments, **REPORTING):
            arguments = renew()
            assert steps.killed_at(instance, step, *arguments, **REPORTING), step
        assert steps.damaged(instance) == [], step
    ran = instance.install(*arguments)
    assert ran.returncode == 0, ran.stderr
    assert steps.leftovers(instance) == []
    assert steps.only_workers_run(instance)


def numbered(instance: Instance, behaviour: str = "good") -> Renew:
    """Another release each time."""
    releases: list[str] = []

    def renew() -> list[str]:
        releases.append(instance.release(f"number {len(releases)}", behaviour))
        return []

    return renew


def test_an_update_killed_at_every_step_is_repaired_and_loses_no_request(serving: Instance) -> None:
    renew = numbered(serving)
    found = steps.steps_of(serving, *renew(), **REPORTING)
    assert len(found) > 30, "the steps of an update were counted when this was written"
    with serving.load() as answers, steps.current_read(serving) as unreadable:
        killed_at_each(serving, [step for step in found if "log_stream" not in step], renew)
    assert answers.lost == []
    assert unreadable == []
    current = serving.link("current")
    assert serving.link("good") == current
    assert list(serving.workers().values()) == [current, current]


def test_going_back_killed_at_every_step_is_repaired_and_loses_no_request(
    tmp_path: Path,
) -> None:
    """supervisord does not try again here: on a slow machine it gives a worker that crashed the
    good release before the run comes to that, and the run has nothing to restart.
    """
    file = "ops/supervisor/service.conf"
    configured, times = re.subn("startretries=.*", "startretries=0", (ROOT / file).read_text())
    assert times == 1
    with started(tmp_path.resolve(), {file: configured.encode()}) as serving:
        good = serving.link("current")
        renew = numbered(serving, "shared crash")
        found = steps.steps_of(serving, *renew(), **REPORTING)
        while_going_back = [step for step in found if "go_back" in step and "report" not in step]
        assert len(while_going_back) > 10
        with serving.load() as answers, steps.current_read(serving) as unreadable:
            killed_at_each(serving, while_going_back, renew)
        assert answers.lost == []
        assert unreadable == []
        assert serving.link("current") == serving.link("good") == good
        assert list(serving.workers().values()) == [good, good]


def test_an_operators_swap_killed_at_every_step_is_repaired_and_loses_no_request(
    serving: Instance,
) -> None:
    first = serving.link("current")
    second = serving.release("second")
    assert serving.install().returncode == 0

    def other_one() -> list[str]:
        return ["--to", first if serving.link("good") == second else second]

    found = steps.steps_of(serving, *other_one())
    swapping = [step for step in found if "swap_to" in step]
    assert len(swapping) > 8
    with serving.load() as answers, steps.current_read(serving) as unreadable:
        killed_at_each(serving, swapping, other_one)
    assert answers.lost == []
    assert unreadable == []
    assert set(serving.workers().values()) == {serving.link("current")}


@pytest.fixture
def crashing(serving: Instance) -> Instance:
    """All workers run a release that dies of the first question about its health; the run that
    brought it was killed when it had seen that, before it could note or mend anything.
    """
    renew = numbered(serving, "shared short life")
    found = steps.steps_of(serving, *renew())
    first = next(step for step in found if "remember_failure" in step)
    bad = serving.release("bad", "shared short life")
    assert steps.killed_at(serving, first)
    for worker in ("service:service_0", "service:service_1"):
        assert serving.control("restart", worker).returncode == 0
    assert serving.link("current") == bad != serving.link("good")
    assert list(serving.workers().values()) == [bad, bad]
    return serving


def test_workers_that_crash_after_each_answer_do_not_make_a_killed_release_good(
    crashing: Instance,
) -> None:
    good = crashing.link("good")
    ran = crashing.install()
    assert "is current and healthy" not in ran.stderr
    assert ran.returncode == 1
    assert crashing.link("current") == crashing.link("good") == good


def test_what_crashes_after_each_answer_is_not_what_the_next_release_goes_back_to(
    crashing: Instance,
) -> None:
    good = crashing.link("good")
    crashing.release("another", "crash")
    assert crashing.install().returncode == 1
    assert crashing.link("good") == good


def test_a_first_installation_killed_at_every_step_is_repaired(instance: Instance) -> None:
    renew = numbered(instance)
    found = steps.steps_of(instance, *renew())
    assert len(found) > 20
    (instance.home / "current").unlink()

    def renew_bare() -> list[str]:
        for link in instance.home.glob("[cg]*"):
            link.unlink()
        return renew()

    killed_at_each(instance, found, renew_bare)
    assert instance.link("current")
    assert not (instance.home / "good").is_symlink(), "nothing has served yet"


def test_killed_with_all_that_it_started_at_any_time_it_is_repaired(serving: Instance) -> None:
    """In the middle of a command, where the other tests kill between two."""
    renew = numbered(serving)
    renew()
    started = time.monotonic()
    assert serving.install().returncode == 0
    duration = time.monotonic() - started
    with serving.load() as answers:
        for moment in range(8):
            renew()
            with steps.started(serving, **REPORTING) as leader:
                time.sleep(duration * moment / 8)  # the moment is the point
                steps.kill_group(leader)
            assert steps.damaged(serving) == []
        assert serving.install().returncode == 0
    assert answers.lost == []
    assert steps.leftovers(serving) == []
    assert steps.only_workers_run(serving)


def test_the_only_worker_that_runs_is_not_stopped_by_the_next_release(serving: Instance) -> None:
    renew = numbered(serving)
    found = steps.steps_of(serving, *renew())
    second = [step for step in found if " roll_worker " in step and step.endswith("#2")]
    renew()
    with serving.load() as answers:
        # Between its stop and its start.
        assert steps.run(serving, KILL_AT=f"{second[1]}\n") == -signal.SIGKILL
        assert len(serving.workers()) == 1
        renew()
        assert serving.install().returncode == 0
    assert answers.lost == []
    assert len(serving.workers()) == 2


def test_a_stop_that_a_killed_run_asked_for_is_waited_for(serving: Instance) -> None:
    first = serving.link("current")
    renew = numbered(serving, "shared slow to stop")
    renew()
    assert serving.install().returncode == 0
    with serving.load() as answers:
        renew()
        with steps.started(serving) as leader:
            serving.until(lambda: "STOPPING" in serving.control("status").stdout)
            steps.kill_group(leader)
        ran = serving.install("--to", first, SERVICE_TRIAL_SECONDS="0")  # to be there in time
        assert ran.returncode == 0, ran.stderr
    assert answers.lost == []
    assert list(serving.workers().values()) == [first, first]


@pytest.mark.parametrize("kill", [steps.kill_alone, steps.kill_group])
def test_the_trial_ends_with_the_run_that_started_it(
    instance: Instance, kill: Callable[..., None]
) -> None:
    instance.release("first")
    with steps.started(instance, SERVICE_TRIAL_SECONDS="600") as leader:
        instance.until(lambda: steps.running(instance.home / "releases"))
        kill(leader)
    assert steps.only_workers_run(instance)
