"""The fleet of a stack played by guests: replaced, scaled, made up again after a loss.

The Auto Scaling group's and CloudFormation's part is a simulation, from the policies of the
template; tests/deploy/decorators asserts the policies themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.guests.clouds import GuestOf, Playing, Project, asked, copied, lost, played, until

SIZES = {"TWOFOLD_MIN_SIZE": "1", "TWOFOLD_MAX_SIZE": "2", "TWOFOLD_BOOT_TIMEOUT_MINUTES": "30"}
ONE = ("--min-size", "1", "--max-size", "1")
THREE = ("--min-size", "3", "--max-size", "4")
BROKEN = "  read_pointer\n  fail 'the disk of this test is missing'\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(copied(tmp_path_factory.mktemp("fleet")), SIZES)
    made.write("first")
    return made


@pytest.fixture(scope="module")
def fleet(project: Project) -> Iterator[Playing]:
    """A fleet of one; each test leaves one serving guest or more."""
    with played(project, "up", "--guests", ready="Ctrl-C ends it.") as playing:
        yield playing


def in_service(fleet: Playing) -> dict[str, str]:
    """URL by ID of the instances that are in service."""
    return {
        name: side["url"] for name, side in fleet.instances().items() if "InService" in side["note"]
    }


@contextmanager
def watched(fleet: Playing) -> Iterator[list[int]]:
    """How many of the instances in service answered, look by look, while the block runs."""
    moments: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            moments.append(sum(_label(url) != "" for url in in_service(fleet).values()))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield moments
    finally:
        done.set()
        looking.join()


def guest(fleet: Playing, instance: str) -> GuestOf:
    return next(one for one in fleet.guests() if one.id == instance)


def test_a_change_of_the_type_replaces_the_instance_behind_its_signal(fleet: Playing) -> None:
    (before,) = in_service(fleet)
    with watched(fleet) as moments:
        done = fleet.provision("--instance-type", "t3.small")
    assert moments, "nobody looked"
    assert 0 not in moments, "a moment without an instance that answers"
    (after,) = in_service(fleet)
    assert after != before
    assert asked(in_service(fleet)[after]).startswith("first ")
    assert guest(fleet, after).shell("cat /run/cloud-init/instance-data.json").count("t3.small")
    # The old one goes after the new one has said that it serves.
    told = done.stderr
    signal = told.index(f"Received SUCCESS signal with UniqueId {after}")
    assert signal < told.index("Terminating instance(s)", signal)
    assert "Simulated" in told


def test_a_bootstrap_that_fails_is_shown_and_taken_back(fleet: Playing, project: Project) -> None:
    script = project.folder / "ops" / "cloud-init" / "user-data.sh"
    working = script.read_text(encoding="utf-8")
    assert working.count("  read_pointer\n") == 1
    script.write_text(working.replace("  read_pointer\n", BROKEN), encoding="utf-8")
    (before,) = in_service(fleet)
    try:
        with guest(fleet, before).load(slow=2, pause=0.1) as found:
            done = fleet.provision("--instance-type", "t3.small", check=False)
    finally:
        script.write_text(working, encoding="utf-8")
    assert done.returncode == 5, done.stderr
    assert "Received FAILURE signal with UniqueId i-" in done.stderr
    assert "the disk of this test is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert lost(found) == {}, found
    until(lambda: list(in_service(fleet)) == [before], what="the failed one is gone")
    assert fleet.status()["status"] == "UPDATE_ROLLBACK_COMPLETE"
    assert asked(in_service(fleet)[before]).startswith("first ")


def test_three_are_there_when_three_are_wanted_and_a_release_reaches_all(fleet: Playing) -> None:
    flags = (*THREE, "--instance-type", "t3.small")
    fleet.provision(*flags)
    until(lambda: len(in_service(fleet)) == 3, what="three in service")
    until(lambda: _labels(fleet) == {"first"}, what="all three serve")
    fleet.project.write("second")
    fleet.provision(*flags)
    # Each guest's own cfn-hup asks once a minute.
    until(lambda: _labels(fleet) == {"second"}, what="the release is on all three")
    assert len(in_service(fleet)) == 3
    # supervisord and two workers, of which the last may still be on its way to the release
    until(lambda: fleet.status()["drift"] == [], what="no worker runs the first release")
    until(lambda: [len(_processes(one)) for one in fleet.guests()] == [3, 3, 3], what="they run")
    for one in fleet.guests():  # its own control groups, too: 0 is a process of somebody else
        assert "0" not in _processes(one)


def test_an_instance_that_is_lost_is_made_up_for(fleet: Playing) -> None:
    gone, *others = in_service(fleet)
    pid = int((guest(fleet, gone).folder / "pid").read_text())
    guest(fleet, gone).cut_off()
    until(lambda: not Path(f"/proc/{pid}").exists(), what="it is gone")
    until(
        lambda: gone not in (now := in_service(fleet)) and len(now) == 3,
        what="another one is there",
    )
    assert set(others) < set(in_service(fleet))
    until(lambda: _labels(fleet) == {"second"}, what="all three serve what is released")


def test_back_to_one_and_only_three_releases_are_kept(fleet: Playing) -> None:
    fleet.provision(*ONE, "--instance-type", "t3.small")
    until(lambda: len(fleet.guests()) == 1, what="two have shut down")
    one = fleet.only()
    digests = []
    for label in ("third", "fourth", "fifth", "sixth"):
        fleet.project.write(label)
        fleet.provision(*ONE, "--instance-type", "t3.small")
        one.install()
        digests.append(one.digest())
    kept = set(one.shell("ls /opt/hello/releases").split())
    assert kept == set(digests[-3:])
    assert one.shell("ls -A /opt/hello/downloads 2>/dev/null", check=False).split() == []
    used = int(one.shell("du -sm /opt/hello").split()[0])
    per_release = int(one.shell("du -smL /opt/hello/current").split()[0])
    assert used <= 3 * per_release + 5


def _processes(one: GuestOf) -> list[str]:
    """What runs under supervisord in a guest, itself included."""
    return one.shell("cat /sys/fs/cgroup/system.slice/supervisor.service/cgroup.procs").split()


def _labels(fleet: Playing) -> set[str]:
    """What each instance in service says that it is; '' for one that does not answer."""
    return {_label(url) for url in in_service(fleet).values()}


def _label(url: str) -> str:
    with suppress(OSError):
        return asked(url).split()[0]
    return ""
