"""What `twofold guest logs` runs in a guest, here with a journalctl of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.guests.running import LOGS

PATIENCE = 60.0
JOURNALCTL = """#!/bin/bash
echo 'a release'
[[ $* != *--follow* ]] || exec sleep infinity
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The folder that a guest has as /var/log."""
    (tmp_path / "bin").mkdir()
    journalctl = tmp_path / "bin" / "journalctl"
    journalctl.write_text(JOURNALCTL)
    journalctl.chmod(0o755)
    folder = tmp_path / "log"
    folder.mkdir()
    return folder


@contextmanager
def running(logs: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    command = ["/bin/bash", "-c", LOGS.read_text(), "logs", str(logs), "hello", "2", *more]
    with subprocess.Popen(
        command,
        env={"PATH": f"{logs.parent / 'bin'}:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)


def shown(logs: Path) -> tuple[int, str, str]:
    with running(logs) as process:
        said, complaints = process.communicate(timeout=PATIENCE)
    return process.returncode, said, complaints


def test_the_last_lines_of_each_file_are_shown(logs: Path) -> None:
    (logs / "hello-bootstrap.log").write_text("one\ntwo\nthree\n")
    (logs / "hello").mkdir()
    (logs / "hello" / "service_0.log").write_text("four\n")
    code, said, complaints = shown(logs)
    assert (code, complaints) == (0, "")
    assert [line for line in said.splitlines() if line and "==>" not in line] == [
        "a release",
        "two",
        "three",
        "four",
    ]


def test_early_in_a_boot_there_is_nothing_to_show(logs: Path) -> None:
    assert shown(logs) == (0, "a release\n", "No log file is there yet.\n")


def test_a_file_that_comes_during_the_boot_is_followed(logs: Path) -> None:
    with running(logs, "follow") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "a release\n"
        (logs / "hello").mkdir()
        (logs / "hello" / "service_0.log").write_text("serves\n")
        while process.stdout.readline() != "serves\n":
            assert process.poll() is None


def test_after_ctrl_c_nothing_goes_on_printing(logs: Path) -> None:
    (logs / "cfn-hup.log").write_text("one\n")
    with running(logs, "follow") as process:
        assert process.stdout is not None
        awaited = {"a release\n", "one\n"}
        while awaited:
            awaited.discard(process.stdout.readline())
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=PATIENCE)  # to the end of what all of them print
    assert process.returncode == -signal.SIGINT
