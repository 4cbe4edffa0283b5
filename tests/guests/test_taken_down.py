"""Nothing of a guest outlives the program that booted it, however that ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.guests.clouds import Playing, Project, copied, played, until


@pytest.fixture
def booting(tmp_path: Path) -> Project:
    return Project(copied(tmp_path), {"TMPDIR": str(tmp_path)})


def left_of(folder: Path) -> list[str]:
    """The processes that name the folder, and the mounts below it that this process sees."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in told:
            found.append(told)
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return found + [line for line in mounts if str(folder) in line]


def shown(playing: Playing) -> str:
    return "".join(playing.said[-20:])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_boot_that_is_ended_halfway_leaves_nothing(
    booting: Project, number: signal.Signals
) -> None:
    with played(booting, "guest", "boot", ready="systemd") as playing:
        workspace = playing.workspace
        assert left_of(workspace), "the test looks in the wrong place"
        playing.process.send_signal(number)
        playing.process.wait(120)
        until(lambda: not left_of(workspace), 120, "the guest's processes and mounts are gone")
        until(lambda: not workspace.exists(), 120, "the guest's folder is gone")
        expected = -number if number is signal.SIGKILL else 0
        assert playing.process.returncode == expected, shown(playing)
