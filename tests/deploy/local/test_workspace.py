"""Nothing is left behind: no process, no folder, whichever way the program ends."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.local import watcher
from deploy.local.interrupts import Interrupts
from deploy.local.workspace import Child, Command, Workspace, end_of_file

Eventually = Callable[..., None]

PROGRAM = """
import sys, time
from deploy.local.interrupts import Interrupts
from deploy.local.workspace import Command, Workspace
interrupts = Interrupts()
with interrupts.caught(), Workspace(interrupts) as workspace:
    child = workspace.start(
        Command(("/bin/sh", "-c", "sleep 60 & wait"), {}, workspace.folder),
        workspace.folder / "log",
    )
    print(workspace.folder, child.pid, flush=True)
    time.sleep(60)
"""


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """pytest's own folders have paths that are too long."""
    with tempfile.TemporaryDirectory(prefix="tf-") as folder:
        yield Path(folder)


@pytest.fixture
def program() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_leaves_nothing(
    program: subprocess.Popen[str], number: int, eventually: Eventually
) -> None:
    assert program.stdout is not None
    folder, group = program.stdout.readline().split()
    assert _alive(int(group))
    program.send_signal(number)
    program.communicate(timeout=60)
    eventually(lambda: not _alive(int(group)))
    eventually(lambda: not Path(folder).exists())


def _fail_inside(seen: list[Child]) -> None:
    with Workspace(Interrupts()) as workspace:
        command = Command(("sleep", "60"), {"PATH": os.defpath}, workspace.folder)
        seen.append(workspace.start(command, workspace.folder / "log"))
        raise ZeroDivisionError


def test_an_error_inside_leaves_nothing() -> None:
    seen: list[Child] = []
    with pytest.raises(ZeroDivisionError):
        _fail_inside(seen)
    assert seen[0].exit_status == -signal.SIGTERM
    assert not seen[0].log.parent.exists()


def test_a_child_that_ignores_sigterm_is_killed(
    workspace: Workspace, eventually: Eventually
) -> None:
    log = workspace.folder / "log"
    stubborn = ("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    child = workspace.start(Command(stubborn, {"PATH": os.defpath}, workspace.folder), log)
    eventually(lambda: "ready" in child.end_of_log())
    workspace.stop(child, grace=0.2)
    assert child.exit_status == -signal.SIGKILL


def test_what_a_child_left_running_in_its_group_goes_with_it(
    workspace: Workspace, eventually: Eventually
) -> None:
    command = Command(("/bin/sh", "-c", "sleep 60 & "), {"PATH": os.defpath}, workspace.folder)
    child = workspace.start(command, workspace.folder / "log")
    workspace.stop(child)
    eventually(lambda: not _alive(child.pid))


# As systemd-nspawn and the first process of its guest.
SECLUDED = """
trap '' TERM
setsid sh -c 'echo $$ >"$0.new"; mv "$0.new" "$0"; sleep 60 & wait' "$1" &
while :; do sleep 0.05; done
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Only Linux tells who began whom.")
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda child: child.stop(0.2), id="stop"),
        pytest.param(lambda child: child.kill(), id="kill"),
        pytest.param(lambda child: watcher.end({child.pid}, 0.2), id="watcher"),
    ],
)
def test_what_a_killed_child_started_in_a_session_of_its_own_goes_with_it(
    workspace: Workspace, end: Callable[[Child], None], eventually: Eventually
) -> None:
    told, environment = workspace.folder / "told", {"PATH": os.defpath}
    command = Command(
        ("sh", "-c", SECLUDED, "sh", str(told)), environment, workspace.folder, grace=0.2
    )
    child = workspace.start(command, workspace.folder / "log")
    eventually(told.exists, 60)
    session = int(told.read_text())
    try:
        end(child)
        eventually(lambda: not _alive(session), 60)
        eventually(lambda: child.exit_status == -signal.SIGKILL, 60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(session, signal.SIGKILL)


def test_a_child_knows_only_the_environment_it_was_given(
    workspace: Workspace, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_LAPTOP", "1")
    command = Command(("/usr/bin/env",), {"GIVEN": "2"}, workspace.folder)
    child = workspace.start(command, workspace.folder / "log")
    eventually(lambda: child.exit_status == 0)
    assert child.end_of_log() == "GIVEN=2"


def _interrupted_within_a_shield(reached: list[str]) -> None:
    interrupts = Interrupts()
    with interrupts.caught(), interrupts.shield():
        os.kill(os.getpid(), signal.SIGTERM)
        reached.append("the end of the shield")


def test_an_interrupt_within_a_shield_comes_at_its_end() -> None:
    reached: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        _interrupted_within_a_shield(reached)
    assert reached == ["the end of the shield"]


def test_an_interrupt_outside_a_shield_comes_at_once() -> None:
    interrupts = Interrupts()
    with interrupts.caught(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_the_handlers_from_before_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts().caught():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_end_of_a_file_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\n".join(b"line %d" % n for n in range(9000)) + b"\n\xff\n")
    assert end_of_file(log, 2) == "line 8999\n\ufffd"


def test_the_end_of_a_file_that_is_not_there_is_nothing(tmp_path: Path) -> None:
    assert end_of_file(tmp_path / "missing", 2) == ""


def test_a_long_path_of_temporary_files_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_folder: Path
) -> None:
    long = tmp_path / ("x" * 60)
    long.mkdir()
    (short_folder / "link").symlink_to(long)
    monkeypatch.setattr(tempfile, "tempdir", str(short_folder / "link"))
    with Workspace(Interrupts()) as workspace:
        assert len(str(workspace.folder / "run" / "supervisor.sock.1234567")) < 104


@pytest.mark.parametrize("name", ["a b", "50%", "it's"])
def test_a_path_that_supervisord_would_read_otherwise_is_not_taken(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (short_folder / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(short_folder / name))
    with Workspace(Interrupts()) as workspace:
        assert name not in str(workspace.folder)
