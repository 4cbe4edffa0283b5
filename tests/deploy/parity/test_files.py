"""The files that a user names."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import SettingsError
from deploy.parity.files import read


def test_files_are_read_in_order_and_bodies_beside_them(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"\xff")
    lines, har = tmp_path / "r.txt", tmp_path / "s.json"
    lines.write_text("curl /1 --data-binary @body\n")
    har.write_text('{"log":{"entries":[{"request":{"method":"GET","url":"/2","headers":[]}}]}}')
    first, second, third = read([str(lines), str(har), str(lines)])
    assert (first.target, first.body) == ("/1", b"\xff")
    assert second.target == "/2"
    assert third == first


def test_all_problems_of_all_files_are_one_error(tmp_path: Path) -> None:
    wrong, empty, gone = (str(tmp_path / name) for name in ("wrong", "empty", "gone"))
    Path(wrong).write_text("curl -T x /\nwget /\n")
    Path(empty).write_text("# nothing yet\n")
    with pytest.raises(SettingsError) as caught:
        read([wrong, empty, gone])
    assert str(caught.value).splitlines() == [
        f"{wrong}:1: curl's -T is not understood here; "
        "leave it out, or pass the request in a HAR file.",
        f"{wrong}:2: 'wget' is no request; expected a line like: curl /healthz.",
        f"{empty} holds no request. Write one a line, as in: curl /healthz",
        f"Cannot read {gone}: No such file or directory.",
    ]
