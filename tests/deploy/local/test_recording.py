"""The file that requests are recorded in."""

from __future__ import annotations

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
