"""The file that requests are recorded in."""

from __future__ import annotations

import resource
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.errors import SettingsError
from deploy.local.recording import Recording
from deploy.parity.files import read
from deploy.parity.request import Request

POST = Request("POST", "/x?\xfc", (("A", "'1'"),), b"\0\xff\n")


def test_what_was_recorded_is_what_parity_reads(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "r.txt"
    with Recording(path, said.append) as recording:
        recording.add("lambda", Request("GET", "/healthz"))
        recording.leave_out("instance", Request("GET", "/ws\n"), "it leaves HTTP")
        recording.add("instance", POST)
    assert path.read_text().splitlines()[1:3] == [
        "curl /healthz  # lambda",
        "# instance: GET /ws\\n is left out: it leaves HTTP",
    ]
    assert [(r.method, r.target, r.headers, r.body) for r in read([str(path)])] == [
        ("GET", "/healthz", (), b""),
        (POST.method, POST.target, POST.headers, POST.body),
    ]
    assert said == [
        f"Recorded 2 requests in {path}, and 1 left out, each with the reason. "
        f"Replay with: twofold parity --local {path}"
    ]


def test_only_its_owner_may_read_it_and_lines_are_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    with Recording(path, print) as recording:
        recording.add("lambda", Request("GET", "/"))
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().endswith("curl /  # lambda\n")


def test_nobody_is_told_to_delete_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught, Recording(tmp_path, print):
        pass
    assert str(caught.value) == f"{tmp_path} is a folder. Pass another --record."


def test_a_file_that_is_there_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_text("mine")
    with pytest.raises(SettingsError) as caught, Recording(path, print):
        pass
    assert str(caught.value) == (
        f"{path} exists already. Pass another --record, or delete it first."
    )
    assert path.read_text() == "mine"


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "r.txt"
    with pytest.raises(SettingsError) as caught, Recording(path, print):
        pass
    assert str(caught.value) == (
        f"Cannot write {path}: No such file or directory. Pass another --record."
    )


def test_a_file_without_requests_is_not_kept(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "r.txt"
    with Recording(path, said.append):
        pass
    assert not path.exists()
    assert said == [f"No request was recorded; {path} is not kept."]


def test_a_line_that_a_full_disk_cuts_short_is_taken_back(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "r.txt"
    with Recording(path, said.append) as recording:
        recording.add("lambda", Request("GET", "/1"))
        before = path.read_bytes()
        with files_end_at(len(before) + 100):
            recording.add("lambda", Request("GET", "/" + "2" * 200))
        recording.add("lambda", Request("GET", "/3"))
    assert path.read_bytes() == before
    assert said[0] == f"{path} cannot be written (File too large); recording has ended."
    assert said[1].startswith("Recorded 1 request ")


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file of this process grows beyond it; Python ignores the signal (SIGXFSZ)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_how_to_replay_is_said_as_a_shell_takes_it(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "it's donn\xe9es.txt"
    with Recording(path, said.append) as recording:
        recording.add("lambda", Request("GET", "/"))
    assert shlex.split(said[0].partition("Replay with: ")[2])[-1] == str(path)
