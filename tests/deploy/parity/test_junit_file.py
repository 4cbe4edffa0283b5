"""The file of a JUnit report, and what must not become one."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.errors import SettingsError
from deploy.parity.junit import xml
from deploy.parity.junit_file import refuse_unwritable, write
from deploy.parity.report import Report

REPORT = xml(Report({}, (), 0, 0))


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may be longer than this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)


@pytest.mark.parametrize(
    "content", [b"", REPORT, b"<testsuite name='other'/>", b"\xef\xbb\xbf\n<testsuites>"]
)
def test_a_report_may_be_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "parity.xml"
    path.write_bytes(content)
    refuse_unwritable(str(path))
    assert path.read_bytes() == content
    write(str(path), REPORT)
    assert path.read_bytes() == REPORT
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_gets_the_report_by_the_name_that_a_shell_gives_it() -> None:
    reading, writing = os.pipe()
    name = f"/dev/fd/{writing}"
    refuse_unwritable(name)
    write(name, REPORT)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == REPORT


@pytest.mark.parametrize("content", [b"curl /\n", b"<?xml version='1.0'?><project/>", b"{}"])
def test_nothing_else_is_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "requests.txt"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        refuse_unwritable(str(path))
    assert str(caught.value) == (
        f"{path} is no JUnit report, and only such a one is overwritten. Pass another --junit."
    )
    assert path.read_bytes() == content


def test_a_new_file_is_made_only_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "parity.xml"
    refuse_unwritable(str(path))
    assert list(tmp_path.iterdir()) == []
    write(str(path), REPORT)
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_leads_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    path, link = tmp_path / "parity.xml", tmp_path / "link"
    link.symlink_to(path)
    refuse_unwritable(str(link))
    write(str(link), REPORT)
    assert link.is_symlink()
    assert path.read_bytes() == REPORT


def test_on_a_full_disk_the_file_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "parity.xml"
    path.write_bytes(b"<testsuites/>")
    with full_disk(20), pytest.raises(SettingsError) as caught:
        write(str(path), REPORT)
    assert str(caught.value) == f"Cannot write {path}: File too large. Pass another --junit."
    assert path.read_bytes() == b"<testsuites/>"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("file", ["", "-"])
def test_a_name_that_is_none_is_refused(file: str) -> None:
    with pytest.raises(SettingsError) as caught:
        refuse_unwritable(file)
    assert str(caught.value) == f"--junit is {file!r}; expected the name of a file."


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        refuse_unwritable(str(tmp_path))
    assert str(caught.value) == f"Cannot write {tmp_path}: Is a directory. Pass another --junit."
