"""A guest that does not start says so, and nobody waits for it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette

from deploy.errors import LocalError
from deploy.local.guests.guest import Ground, Guest, told
from deploy.local.guests.image import Image
from deploy.local.server import Background
from deploy.local.workspace import Workspace
from tests.deploy.local.guests.machines import described


def test_a_guest_that_finds_no_place_for_its_files_is_a_local_error(
    workspace: Workspace, tmp_path: Path
) -> None:
    (workspace.folder / "guests").write_text("in the way")
    image = Image("3.13", "trixie", False, tmp_path, datetime.now(UTC), 0.0)
    guest = Guest(Ground(workspace, Background(), image, Starlette()), described(7))
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
