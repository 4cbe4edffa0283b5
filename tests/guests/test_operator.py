"""The operator at the instance: the commands of ops/README.md, as it says them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.guests.clouds import GuestOf, lost, until
from tests.guests.conftest import Figure
from tests.guests.hup import poll
from tests.guests.releases import asked_and_lost, light

CTL = "/opt/hello/current/ops/instance/supervisorctl.sh"
INSTALL = "/opt/hello/current/ops/instance/install-release.sh"
# Each is run by a test here.
COMMANDS = [
    f"{CTL} status",
    f"{CTL} tail -f service:service_0",
    f"{CTL} restart service:service_0",
    f"{CTL} stop service:service_0",
    f"{CTL} start service:service_0",
    INSTALL,
    f"{INSTALL} --again",
    f"{INSTALL} --to SHA256",
    "journalctl -t install-release",
    "systemctl status supervisor cfn-hup",
]


def test_the_readme_has_these_commands_and_its_warning(root: Path) -> None:
    text = (root / "ops" / "README.md").read_text(encoding="utf-8")
    section = text.split("## The operator's commands")[1].split("\n## ")[0]
    block = section.split("```sh\n")[1].split("```")[0]
    assert [line.partition("#")[0].strip() for line in block.splitlines()] == COMMANDS
    assert "As root on the instance" in section
    assert "`restart all`, `restart service:*` and `update` stop both" in section


def test_status_shows_both_workers(guest: GuestOf) -> None:
    # It exits with 3 since the queue worker does not run.
    lines = guest.shell(f"{CTL} status", check=False).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["service:service_0", "RUNNING"],
        ["service:service_1", "RUNNING"],
        ["worker:worker_0", "EXITED"],
    ]


def test_nobody_else_may_control_the_workers(guest: GuestOf) -> None:
    said = guest.shell(f"runuser -u nobody -- {CTL} stop service:service_0 2>&1", check=False)
    assert "Permission denied" in said
    assert len(guest.workers()) == 2


def test_tail_follows_the_log(guest: GuestOf, tmp_path: Path) -> None:
    with _output(guest, f"{CTL} tail -f service:service_0", tmp_path / "tail") as output:
        until(lambda: "\n" in output.read_text(), what="the end of what is there already")
        mark = "/followed-by-an-operator"
        asking = f"curl -sS -o /dev/null http://127.0.0.1:9999{mark}"
        # Every worker may take it.
        until(lambda: guest.shell(asking) == "" and mark in output.read_text(), what="its line")


def test_a_restart_of_one_worker_loses_nothing(guest: GuestOf) -> None:
    before = guest.workers()
    with light(guest) as found:
        guest.shell(f"{CTL} restart service:service_0")
    after = guest.workers()
    assert lost(found) == {}, found
    assert after["service:service_0"] != before["service:service_0"]
    assert after["service:service_1"] == before["service:service_1"]


def test_a_stop_and_a_start_of_one_worker_lose_nothing(guest: GuestOf) -> None:
    with light(guest) as found:
        guest.shell(f"{CTL} stop service:service_0")
        assert list(guest.workers()) == ["service:service_1"]
        guest.shell(f"{CTL} start service:service_0")
    assert lost(found) == {}, found
    assert len(guest.workers()) == 2


def test_install_release_says_that_there_is_nothing_to_do(guest: GuestOf) -> None:
    digest, workers = guest.digest()[:12], guest.workers()
    for command in (INSTALL, f"{INSTALL} --again"):
        said = guest.shell(f"{command} 2>&1").strip()
        assert said == f"install-release: release {digest}… is current and healthy; nothing to do"
    assert guest.workers() == workers


def test_an_older_release_is_one_command_away_and_stays(guest: GuestOf) -> None:
    old = guest.digest()
    new = guest.playing.release("newer")
    guest.install()
    assert guest.digest() == new
    poll(guest)
    with light(guest) as found:
        guest.shell(f"{INSTALL} --to {old}")
    assert lost(found) == {}, found
    assert guest.digest() == guest.link("current") == guest.link("good") == old
    (drift,) = guest.playing.status()["drift"]
    assert f"runs {old[:12]}, but the release is {new[:12]}" in drift
    assert "No change in path" in poll(guest)
    assert guest.digest() == old
    guest.shell(INSTALL)
    assert guest.digest() == guest.link("good") == new


def test_the_journal_has_what_releases_did(guest: GuestOf) -> None:
    said = guest.shell("journalctl -t install-release --no-pager")
    assert re.search(r"install-release\[\d+\]: install-release: release [0-9a-f]{12}… is ", said)


def test_systemd_runs_both(guest: GuestOf) -> None:
    said = guest.shell("systemctl status supervisor cfn-hup")
    assert said.count("Active: active (running)") == 2


def test_restarting_all_at_once_costs_what_the_readme_warns_of(
    guest: GuestOf, figure: Figure
) -> None:
    before = guest.workers()
    for command in ("update", "restart all"):
        with light(guest) as found:
            guest.shell(f"{CTL} {command}")
            until(lambda: len(guest.workers()) == 2, what="both are back")
            until(guest.digest, what="it answers")
        figure(f"supervisorctl {command}", asked_and_lost(found))
    assert not set(before.values()) & set(guest.workers().values())
    assert guest.playing.status()["drift"] == []


@contextmanager
def _output(guest: GuestOf, command: str, file: Path) -> Iterator[Path]:
    """The file has what a command says that goes on until the block ends."""
    playing = guest.playing.project
    with file.open("w") as output:
        process = subprocess.Popen(
            playing.command("guest", "shell", "-i", guest.id, "bash", "-c", command),
            cwd=playing.folder,
            env=playing.variables(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            start_new_session=True,
        )
        try:
            yield file
        finally:
            guest.shell("pkill -f 'supervisorctl .* tail -f'")
            process.wait()
