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


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    lines, har = tmp_path / "r.txt", tmp_path / "s.har"
    lines.write_text("curl /1\n", "utf-8-sig")
    har.write_text(
        '{"log":{"entries":[{"request":{"method":"GET","url":"/2","headers":[]}}]}}', "utf-8-sig"
    )
    assert [request.target for request in read([str(lines), str(har)])] == ["/1", "/2"]


def test_what_a_har_file_has_of_hosts_that_are_not_meant_is_not_judged(tmp_path: Path) -> None:
    har = tmp_path / "s.har"
    har.write_text('{"log":{"entries":[{"request":{"url":"https://cdn/"}}]}}')
    assert [request.host for request in read([str(har)], ["api"])] == ["cdn"]
    with pytest.raises(SettingsError, match=r"request\.method is not text"):
        read([str(har)])


@pytest.mark.parametrize("content", ["curl /\n".encode("utf-16"), b"\x7fELF\0\n'"])
def test_what_is_no_text_is_one_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.txt"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read([str(path)])
    assert str(caught.value) == (
        f"{path} is no text in UTF-8; save curl lines, or a HAR file, as UTF-8."
    )


def test_of_very_many_problems_the_first_are_said(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_text("import this\n" * 25)
    with pytest.raises(SettingsError) as caught:
        read([str(path)])
    said = str(caught.value).splitlines()
    assert said[19].startswith(f"{path}:20: 'import' is no request")
    assert said[20:] == ["... and 5 more."]
