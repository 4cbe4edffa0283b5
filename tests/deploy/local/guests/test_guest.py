"""A guest from its start to its end; a script stands for systemd-nspawn and for all inside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from deploy.errors import LocalError
from deploy.local.guests.guest import Ground, Guest, free_address, told
from deploy.local.guests.image import Image
from deploy.local.server import Background
from deploy.local.workspace import Workspace
from tests.deploy.local.guests.machines import described, eventually
from tests.deploy.local.guests.secluded import why_not

NEEDS_NAMESPACES = pytest.mark.skipif(bool(why_not()), reason=why_not())

# It asks for everything around it when it is told to shut down.
NSPAWN = f"""#!{sys.executable}
import signal, socket, urllib.request

def leave(*_):
    token = urllib.request.Request("http://169.254.169.254/latest/api/token", method="PUT")
    token.add_header("X-aws-ec2-metadata-token-ttl-seconds", "60")
    print("metadata:", urllib.request.urlopen(token, timeout=60).status)
    aws = urllib.request.urlopen("http://169.254.169.254:4566/", timeout=60)
    print("AWS:", aws.read().decode())
    print("eth0:", "eth0" in [name for _, name in socket.if_nameindex()], flush=True)
    raise SystemExit

signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
while True:
    signal.pause()
"""


def image(root: Path) -> Image:
    return Image("3.13", "trixie", False, root, datetime.now(UTC), 0.0)


@contextmanager
def started(workspace: Workspace, folder: Path) -> Iterator[Guest]:
    """It is up when the block begins; it has shut down at the end."""
    (folder / "image" / "etc").mkdir(parents=True)
    aws = PlainTextResponse("here")
    with Background() as background:
        ground = Ground(workspace, background, image(folder / "image"), aws)
        guest = Guest(ground, replace(described(1), public_address=free_address()))
        guest.start()
        try:
            eventually(lambda: "up" in guest.console.read_text())
            yield guest
        finally:
            guest.stop()


@pytest.fixture
def nspawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "systemd-nspawn"
    program.parent.mkdir()
    program.write_text(NSPAWN, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@NEEDS_NAMESPACES
@pytest.mark.usefixtures("nspawn")
def test_its_network_and_aws_are_there_until_it_has_shut_down(
    workspace: Workspace, tmp_path: Path
) -> None:
    with started(workspace, tmp_path) as guest:
        assert guest.is_running
    assert not guest.is_running
    assert guest.console.read_text() == "up\nmetadata: 200\nAWS: here\neth0: True\n"


def test_of_a_discarded_guest_the_console_and_the_logs_stay(
    workspace: Workspace, tmp_path: Path
) -> None:
    ground = Ground(workspace, Background(), image(tmp_path), Starlette())
    guest = Guest(ground, described(1))
    kept = {"console.log", "pid", "upper/var/log/hello/service_0.log"}
    for name in (*kept, "upper/opt/hello/big", "upper/var/lib/big", "work/inner/big"):
        (guest.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (guest.folder / name).write_text("content")
    guest.discard()
    left = [path for path in guest.folder.rglob("*") if path.is_file()]
    assert {str(path.relative_to(guest.folder)) for path in left} == kept


def test_a_guest_that_finds_no_place_for_its_files_is_a_local_error(
    workspace: Workspace, tmp_path: Path
) -> None:
    (workspace.folder / "guests").write_text("in the way")
    ground = Ground(workspace, Background(), image(tmp_path), Starlette())
    guest = Guest(ground, described(7))
    with pytest.raises(LocalError) as caught:
        guest.start()
    assert str(caught.value) == (
        f"Guest {described(7).instance} does not start: [Errno 20] Not a directory: "
        f"'{guest.folder}'. Correct the cause and retry."
    )
    assert not guest.is_running


def test_a_pipe_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    assert not told(tmp_path / "go", "10.0.7.3\n")


def test_who_reads_the_pipe_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    reader = os.open(tmp_path / "go", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert told(tmp_path / "go", "10.0.7.3\n")
        assert os.read(reader, 100) == b"10.0.7.3\n"
    finally:
        os.close(reader)
