"""Whatever is wrong with a release or its way here, the old one serves on: no request is lost."""

import calendar
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ops import steps
from tests.ops.instances import BUCKET, PATIENCE, SCRIPTS, Instance, release

# Long enough for a slow machine to answer once, as the answer is in the reason.
UNHEALTHY = {"SERVICE_HEALTH_SECONDS": "15"}
Publish = Callable[[Instance], str]


def short(digest: str) -> str:
    return f"{digest[:12]}…"


def behaving(behaviour: str) -> Publish:
    return lambda instance: instance.release(behaviour, behaviour)


def tampered(instance: Instance) -> str:
    return instance.release("tampered", digest="b" * 64)


def truncated(instance: Instance) -> str:
    """Its digest is right: what was uploaded is no whole zip."""
    whole = release("truncated")
    return instance.publish(whole[: len(whole) // 2])


def climbing(instance: Instance) -> str:
    return instance.release("climbing", extra={"../../escaped.txt": b"out"})


BAD = {
    "import error": (
        behaving("import error"),
        "it ended with exit status 1: ModuleNotFoundError: No module named 'a_library_that_",
    ),
    "unhealthy": (behaving("unhealthy"), "/healthz answered 500: "),
    "crash": (behaving("crash"), "it ended with exit status 1: cannot start: no database"),
    "short life": (behaving("short life"), "it ended with exit status 1 after it had answered: ca"),
    "tampered": (tampered, "sha256 of artifact "),
    "truncated": (truncated, "cannot unpack the artifact: File is not a zip file"),
    "climbing": (climbing, "cannot unpack the artifact: '../../escaped.txt' climbs out of the rel"),
}


@pytest.mark.parametrize(("publish", "reason"), BAD.values(), ids=BAD)
def test_a_bad_release_reaches_no_worker_and_is_tried_once(
    steady: Instance, publish: Publish, reason: str
) -> None:
    good, workers = steady.link("current"), steady.workers()
    digest = publish(steady)
    with steady.load() as answers:
        ran = steady.install(**UNHEALTHY)
    assert ran.returncode == 1
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(f"install-release: error: release {short(digest)}: {reason}")
    assert last.endswith(f"; keeping release {short(good)}")
    assert (answers.lost, answers.digests) == ([], {good})
    assert steady.workers() == workers
    assert (steady.link("current"), steady.link("good")) == (good, good)
    assert not (steady.home / "releases" / digest).exists()
    assert not list(steady.root.rglob("escaped.txt"))
    assert steps.leftovers(steady) == []
    assert steps.only_workers_run(steady)

    fetched = len(steady.fetched())
    again = steady.install()
    assert again.returncode == 0, "cfn-hup repeats an action that fails at every interval"
    assert f"release {short(digest)} failed before: {reason}" in again.stderr
    assert again.stderr.endswith(
        f"; keeping release {short(good)}. Provision another release, or this one with another "
        "--build-id, or run install-release.sh --again\n"
    )
    assert len(steady.fetched()) == fetched


BEHIND_THE_SOCKET = {
    "shared crash": "service:service_0 does not start: ",
    "shared unhealthy": "service:service_0 is not healthy: /healthz answered 500: ",
    "shared short life": "service:service_0 is not healthy: ",
    "shared longer life": "service:service_0 did not last",
}


@pytest.mark.parametrize(("behaviour", "reason"), BEHIND_THE_SOCKET.items(), ids=BEHIND_THE_SOCKET)
def test_a_release_that_the_trial_cannot_find_out_is_taken_back(
    serving: Instance, behaviour: str, reason: str
) -> None:
    good = serving.link("current")
    digest = serving.release("bad", behaviour)
    with serving.load() as answers:
        ran = serving.install(**UNHEALTHY)
    assert ran.returncode == 1
    assert f"release {short(digest)}: {reason}" in ran.stderr
    assert f"; going back to release {short(good)}\n" in ran.stderr
    assert ran.stderr.endswith(f"; keeping release {short(good)}\n")
    assert answers.lost == []
    assert (serving.link("current"), serving.link("good")) == (good, good)
    assert list(serving.workers().values()) == [good, good]
    assert steps.leftovers(serving) == []

    workers = serving.workers()
    assert serving.install().returncode == 0
    assert serving.workers() == workers
    mended = serving.release("mended")
    assert serving.install().returncode == 0
    assert list(serving.workers().values()) == [mended, mended]


def test_a_new_provision_of_the_same_bytes_is_tried(steady: Instance) -> None:
    steady.release("broken twice", "import error")
    assert steady.install().returncode == 1
    steady.release("broken twice", "import error", build="build-2")
    assert steady.install().returncode == 1


def test_an_operator_may_try_it_again(steady: Instance) -> None:
    steady.release("broken again", "import error")
    assert steady.install().returncode == 1
    assert steady.install().returncode == 0
    assert steady.install("--again").returncode == 1


def hidden(instance: Instance, digest: str) -> Path:
    stored = instance.cloud / BUCKET / f"hello/artifacts/{digest}.zip"
    return stored.rename(stored.with_suffix(".hidden"))


def test_a_release_whose_installer_does_not_run_is_refused(serving: Instance) -> None:
    """It would bring the next release, and take it back."""
    good = serving.link("current")
    serving.publish(release("second", extra={"ops/instance/swap.sh": b"if\n"}))
    ran = serving.install()
    assert ran.returncode == 1
    assert ": its installer does not run: " in ran.stderr
    assert "syntax error" in ran.stderr
    assert serving.link("current") == good


def test_going_back_needs_no_room_for_a_note(serving: Instance) -> None:
    good = serving.link("current")
    (serving.home / "failed").write_text("in the way of the folder")
    digest = serving.release("bad", "shared crash")
    with serving.load() as answers:
        ran = serving.install(**UNHEALTHY)
    assert ran.returncode == 1
    assert f"cannot note in {serving.home}/failed that release {short(digest)} failed" in ran.stderr
    assert answers.lost == []
    assert serving.link("current") == serving.link("good") == good
    assert list(serving.workers().values()) == [good, good]


def next_run(ran: subprocess.CompletedProcess[str], good: str) -> int:
    """When the run says that the next one tries again, in seconds since 1970."""
    said = re.search(
        rf"No such file or directory; keeping release {short(good)}\. A run from (\S+ \S+) UTC on "
        "tries again, install-release.sh --again at once\n",
        ran.stderr,
    )
    assert said, ran.stderr
    return calendar.timegm(time.strptime(said[1], "%Y-%m-%d %H:%M:%S"))


def test_a_bucket_out_of_reach_is_asked_ever_more_seldom(serving: Instance) -> None:
    good = serving.link("current")
    digest = serving.release("second")
    stored = hidden(serving, digest)
    started = int(time.time())
    with serving.load() as answers:
        first, second, third = (serving.install() for _ in range(3))
    assert [ran.returncode for ran in (first, second, third)] == [1, 1, 1]
    reason = f"install-release: error: release {short(digest)}: cannot fetch s3://{BUCKET}/hello/"
    assert reason in first.stderr
    assert 0 <= next_run(first, good) - started < PATIENCE
    assert 60 <= next_run(second, good) - started < 60 + PATIENCE
    assert f"release {short(digest)} is put off until " in third.stderr
    assert f"No such file or directory; keeping release {short(good)}. Try " in third.stderr
    assert len(serving.fetched()) == 1 + 2, "the first release, and two attempts"
    assert answers.lost == []
    assert steps.leftovers(serving) == []

    stored.rename(stored.with_suffix(".zip"))
    assert serving.install("--again").returncode == 0
    assert serving.ask()["digest"] == digest
    assert not (serving.home / "postponed").exists()


def test_another_release_does_not_wait_for_one_that_was_put_off(serving: Instance) -> None:
    hidden(serving, serving.release("second"))
    for _ in range(2):
        assert serving.install().returncode == 1
    digest = serving.release("third")
    assert serving.install().returncode == 0
    assert serving.ask()["digest"] == digest


@pytest.mark.parametrize("room", ["for nothing", "for the download"])
def test_a_disk_without_room_is_no_fault_of_the_release(serving: Instance, room: str) -> None:
    """Here no file may grow above a limit; the kernel refuses more, as it does on a full disk."""
    good, workers = serving.link("current"), serving.workers()
    digest = serving.release("large", extra={"large.bin": bytes(400_000)})
    size = (serving.cloud / BUCKET / f"hello/artifacts/{digest}.zip").stat().st_size
    with serving.load() as answers:
        serving.started_by = (
            "prlimit",
            f"--fsize={size // 2 if room == 'for nothing' else size * 2}",
        )
        ran = serving.install()
    assert ran.returncode == 1
    reason = "cannot fetch s3://" if room == "for nothing" else "cannot unpack the artifact: [Errno"
    assert f"release {short(digest)}: {reason}" in ran.stderr
    assert (answers.lost, answers.digests) == ([], {good})
    assert serving.workers() == workers
    assert steps.leftovers(serving) == []

    serving.started_by = ()
    assert serving.install().returncode == 0
    assert serving.ask()["digest"] == digest


def test_a_good_release_that_fails_its_trial_now_is_not_given_up(serving: Instance) -> None:
    good = serving.link("current")
    serving.repeat()
    serving.control("stop", "service:service_0")
    ran = serving.install(SERVICE_PYTHON="/nowhere/python")
    assert ran.returncode == 1
    assert f"release {short(good)}: it ended with exit status 127: " in ran.stderr
    again = serving.install()
    assert again.returncode == 0
    assert "failed before" not in again.stderr
    assert list(serving.workers().values()) == [good, good]


def test_a_supervisord_that_ends_in_the_middle_is_no_fault_of_the_release(
    serving: Instance,
) -> None:
    good = serving.link("current")
    digest = serving.release("second")
    supervisord = serving.supervisord
    assert supervisord is not None
    real = f"{SCRIPTS}/supervisorctl"
    ended = f'kill {supervisord.pid}; while {real} "$1" "$2" pid; do sleep 0.1; done'
    (serving.root / "bin/supervisorctl").write_text(
        f'#!/bin/sh\ncase "$*" in *start*) {ended} >/dev/null ;; esac\nexec {real} "$@"\n'
    )
    (serving.root / "bin/supervisorctl").chmod(0o755)
    ran = serving.install()
    assert ran.returncode == 1
    assert "supervisord ended while its workers were restarted; keeping release" in ran.stderr
    assert serving.link("current") == good
    (serving.root / "bin/supervisorctl").unlink()
    supervisord.wait()
    serving.start()
    assert serving.install().returncode == 0
    assert list(serving.workers().values()) == [digest, digest]
