"""install-release.sh in a scratch root, under the real supervisord. Only `aws` is a fake."""

import json
import os
import signal

import pytest

from tests.ops import steps
from tests.ops.instances import PATIENCE, Instance


def short(digest: str) -> str:
    return f"{digest[:12]}…"


def test_the_first_release_is_unpacked_and_current(instance: Instance) -> None:
    digest = instance.release("first")
    ran = instance.install()
    assert ran.returncode == 0
    assert ran.stderr == (
        f"install-release: trying release {short(digest)}\n"
        f"install-release: release {short(digest)} is installed\n"
    )
    assert instance.link("current") == digest
    assert (instance.home / "current/service/handler.py").exists()
    assert sorted(path.name for path in (instance.home / "releases").iterdir()) == [digest]


def test_the_services_user_can_read_it_whatever_the_operators_umask(instance: Instance) -> None:
    instance.release("first")
    instance.started_by = ("sh", "-c", 'umask 077; exec "$@"', "-")
    assert instance.install().returncode == 0
    made = [instance.home / "releases", *(instance.home / "releases").rglob("*")]
    unreadable = [path for path in made if path.stat().st_mode & 0o044 != 0o044]
    assert unreadable == []


def test_nobody_else_can_take_the_lock(instance: Instance) -> None:
    instance.release("first")
    assert instance.install().returncode == 0
    assert (instance.home / "install.lock").stat().st_mode & 0o777 == 0o600


def test_a_second_run_does_nothing_and_says_why(steady: Instance) -> None:
    before, fetched = steady.workers(), len(steady.fetched())
    steady.repeat()
    ran = steady.install()
    assert ran.returncode == 0
    assert ran.stderr == (
        f"install-release: release {short(steady.link('current'))} is current and healthy; "
        "nothing to do\n"
    )
    assert steady.workers() == before
    assert len(steady.fetched()) == fetched


def test_a_new_release_moves_the_link_and_every_worker(serving: Instance) -> None:
    old = serving.workers()
    digest = serving.release("second")
    ran = serving.install()
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (
        0,
        f"install-release: release {short(digest)} is installed",
    )
    assert serving.link("current") == serving.link("good") == digest
    assert set(serving.workers().values()) == {digest}
    assert not set(serving.workers()) & set(old)
    assert serving.ask()["digest"] == digest


def test_workers_are_restarted_one_at_a_time_and_no_request_is_refused(serving: Instance) -> None:
    serving.release("second")
    with serving.load() as answers:
        assert serving.install().returncode == 0
    assert answers.lost == []
    assert len(answers.digests) == 2, "both releases answered while rolling"
    assert answers.asked > 100


def test_a_first_release_that_failed_before_is_still_a_failure(instance: Instance) -> None:
    digest = instance.release("broken", "import error")
    first, second = instance.install(), instance.install()
    assert (first.returncode, second.returncode) == (1, 1)
    assert f"error: release {short(digest)}: failed before: it ended with " in second.stderr
    assert "; no release is installed. Provision another release, or " in second.stderr


def test_a_service_that_leaves_its_folder_is_released_like_any_other(serving: Instance) -> None:
    serving.release("second", "in another folder")
    assert serving.install().returncode == 0
    digest = serving.release("third", "in another folder")
    assert serving.install().returncode == 0
    assert serving.ask()["digest"] == serving.link("good") == digest


def test_a_lost_connection_leaves_no_release_half_swapped(serving: Instance) -> None:
    digest = serving.release("second")
    with serving.load() as answers, steps.started(serving) as leader:
        serving.until(lambda: "restarting service:service_0" in (serving.root / "said").read_text())
        os.killpg(leader.pid, signal.SIGHUP)
        os.killpg(leader.pid, signal.SIGINT)
        assert leader.wait(PATIENCE) == 0
    assert answers.lost == []
    assert list(serving.workers().values()) == [digest, digest]
    assert serving.link("good") == digest


def test_only_what_served_is_noted_as_good(instance: Instance) -> None:
    digest = instance.release("first")
    assert instance.install().returncode == 0
    assert instance.link("current") == digest
    assert not (instance.home / "good").is_symlink(), "supervisord does not run yet"


def test_a_good_release_after_a_bad_one_is_installed(serving: Instance) -> None:
    serving.release("broken", "import error")
    assert serving.install().returncode == 1
    digest = serving.release("mended")
    assert serving.install().returncode == 0
    assert serving.ask()["digest"] == digest


def test_three_releases_are_kept_and_the_oldest_goes(serving: Instance) -> None:
    first, older, oldest = serving.link("current"), "d" * 64, "e" * 64
    serving.copy_of_current(older, age=1000)
    serving.copy_of_current(oldest, age=2000)
    (serving.home / "releases" / f".{'f' * 64}.partial").mkdir()
    digest = serving.release("second")
    assert serving.install().returncode == 0
    kept = {path.name for path in (serving.home / "releases").iterdir()}
    assert kept == {digest, first, older}
    assert not (serving.home / "downloads").exists()


def test_a_release_loses_its_name_before_its_files(serving: Instance) -> None:
    """A run that is killed in between leaves no folder whose name promises a whole release."""
    for number in range(3):
        serving.copy_of_current(str(number) * 64, age=1000 + number)
    for name in ("mv", "rm"):
        serving.record(name)
    serving.release("second")
    assert serving.install().returncode == 0
    folder = serving.home / "releases" / ("1" * 64)
    gone = folder.with_name(f".{folder.name}.gone")
    calls = [call for call in serving.calls() if folder.name in call]
    assert calls == [f"mv -T {folder} {gone}", f"rm -rf {gone}"]


def test_what_was_current_is_kept_before_a_release_that_only_was_unpacked(
    serving: Instance,
) -> None:
    """Its install-release is still at work when releases are pruned."""
    first = serving.link("current")
    for digest in ("d" * 64, "e" * 64):
        serving.copy_of_current(digest)
    os.utime(serving.home / "releases" / first, (0, 0))
    serving.release("second")
    assert serving.install().returncode == 0
    assert (serving.home / "releases" / first).exists()


def test_what_gets_its_final_name_is_on_disk_before_and_the_name_after(serving: Instance) -> None:
    """As a power loss could leave the name without the content."""
    for name in ("sync", "mv"):
        serving.record(name)
    digest = serving.release("second")
    assert serving.install().returncode == 0
    releases = serving.home / "releases"
    partial = releases / f".{digest}.partial"
    wanted = [
        f"sync -f {partial}",
        f"mv -T {partial} {releases / digest}",
        f"sync {releases}",
        f"mv -T {serving.home}/current.next {serving.home}/current",
        f"sync {serving.home}",
        f"mv -T {serving.home}/good.next {serving.home}/good",
        f"sync {serving.home}",
    ]
    calls = [call for call in serving.calls() if call.startswith(("sync ", "mv "))]
    assert [call for call in calls if "downloads" not in call] == wanted


def test_an_operator_goes_back_to_an_installed_release(serving: Instance) -> None:
    serving.copy_of_current("d" * 64)
    ran = serving.install("--to", "d" * 64)
    assert ran.returncode == 0
    assert set(serving.workers().values()) == {"d" * 64}


def test_an_unknown_release_to_go_back_to_is_an_error_that_lists_the_installed(
    steady: Instance,
) -> None:
    for unknown in ("c" * 64, "../releases"):
        ran = steady.install("--to", unknown)
        assert ran.returncode == 2
        assert f"release '{unknown}' is not installed" in ran.stderr
        assert steady.link("current") in ran.stderr


def test_without_supervisord_an_update_waits(serving: Instance) -> None:
    good = serving.link("current")
    serving.release("second")
    serving.stop()
    ran = serving.install()
    assert ran.returncode == 1
    assert "supervisord is not running, so this release cannot be checked; keep" in ran.stderr
    assert serving.link("current") == good


def test_metadata_without_a_release_changes_nothing(steady: Instance) -> None:
    good = steady.link("current")
    (steady.cloud / "metadata").write_text(json.dumps({"Other": 1}))
    ran = steady.install()
    assert ran.returncode == 1
    assert "ServiceFleet in stack hello-dev has no usable release in its metadata" in ran.stderr
    assert steady.link("current") == good


def test_a_second_run_at_the_same_time_waits_its_turn(steady: Instance) -> None:
    with steady.locked():
        ran = steady.install(SERVICE_LOCK_SECONDS="0")
    assert ran.returncode == 1
    assert "another install-release is still at work" in ran.stderr


def test_a_missing_variable_is_named(instance: Instance) -> None:
    ran = instance.install(SERVICE_STACK="", AWS_REGION="")
    assert ran.returncode == 2
    assert "error: SERVICE_STACK AWS_REGION not set." in ran.stderr


@pytest.mark.parametrize("arguments", [["--to"], ["--sideways"]])
def test_a_wrong_argument_shows_the_usage(instance: Instance, arguments: list[str]) -> None:
    ran = instance.install(*arguments)
    assert ran.returncode == 2
    assert "Usage: install-release.sh [--env FILE] [--again] [--to SHA256]" in ran.stderr
