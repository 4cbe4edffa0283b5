"""A member survives the zip, and the zip is one that others read."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.artifact.member import DEFLATED, STORED, Member, pack, unzipped, zipped
from deploy.errors import BuildError


@given(st.binary(max_size=5000), st.booleans())
def test_a_member_gives_its_content_back(content: bytes, executable: bool) -> None:
    member = pack("a", content, executable=executable)
    assert member.content == content
    assert member.size == len(content)


def test_what_does_not_shrink_is_stored() -> None:
    assert pack("a", b"x").method == STORED
    assert pack("a", b"x" * 1000).method == DEFLATED


def test_members_are_copied_from_zip_to_zip_unchanged() -> None:
    archive = zipped([pack("b", b"x" * 100), pack("a/é", b"1", executable=True)])
    assert zipped(unzipped(archive)) == archive
    assert [(m.path, m.executable) for m in unzipped(archive)] == [("a/é", True), ("b", False)]


def test_a_file_by_the_name_of_a_folder_is_refused() -> None:
    with pytest.raises(BuildError, match=r"^'a/b' is a file of the artifact and a folder as well"):
        zipped([pack("a/b", b""), pack("a/b/c/d", b"")])


def test_two_members_of_one_path_are_refused() -> None:
    with pytest.raises(BuildError, match=r"^Two files of the artifact have the path 'a'\.$"):
        zipped([pack("a", b"1"), pack("a", b"2")])


def test_more_members_than_a_zip_holds_are_refused() -> None:
    one = pack("x", b"")
    many = (
        Member(str(number), one.packed, one.method, one.crc, one.size, one.executable)
        for number in range(65_536)
    )
    with pytest.raises(BuildError, match=r"^65536 files, \d+ bytes: more than a zip can hold\.$"):
        zipped(many)


def test_the_zip_is_one_that_python_reads() -> None:
    archive = zipped([pack("a", b"x" * 100), pack("é", b"")])
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        assert read.testzip() is None
        assert read.namelist() == ["a", "é"]
