"""Equal files, equal bytes; and names that follow from them."""

from __future__ import annotations

import io
import json
import random
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.artifact import Artifact, archive, artifact_key, manifest
from deploy.errors import BuildError
from deploy.target import Target

SEGMENT = st.text("abé-_.", min_size=1, max_size=6).filter(lambda text: set(text) != {"."})
# A file is never named like a folder: each path has its own depth's suffix.
PATH = st.lists(SEGMENT, min_size=1, max_size=3).map(lambda s: "/".join(s) + ".txt")
FILES = st.dictionaries(PATH, st.binary(max_size=300), max_size=8)


@given(FILES, st.randoms())
def test_the_order_of_the_files_does_not_matter(
    files: dict[str, bytes], order: random.Random
) -> None:
    shuffled = list(files.items())
    order.shuffle(shuffled)
    assert archive(dict(shuffled)) == archive(files)


@given(FILES, PATH, st.binary(max_size=300))
def test_other_content_gives_other_bytes(
    files: dict[str, bytes], path: str, content: bytes
) -> None:
    other = {**files, path: content}
    assert (archive(other) == archive(files)) == (other == files)


@given(FILES)
def test_unzipping_gives_the_files_back(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(files))) as read:
        assert {name: read.read(name) for name in read.namelist()} == files


def test_entries_are_sorted_dated_1980_and_have_two_modes() -> None:
    content = archive({"b.sh": b"#!/bin/sh", "a": b""}, executable={"b.sh"})
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        entries = [(e.filename, e.date_time, e.external_attr >> 16) for e in read.infolist()]
    start = (1980, 1, 1, 0, 0, 0)
    assert entries == [
        ("a", start, stat.S_IFREG | 0o644),
        ("b.sh", start, stat.S_IFREG | 0o755),
    ]


@given(
    st.sampled_from(["/{}", "../{}", "a/../{}", "a//{}", "./{}", "{}/", "C:{}", "a\\{}", "{}\0"]),
    SEGMENT,
)
def test_a_path_that_climbs_or_is_no_plain_file_is_refused(form: str, segment: str) -> None:
    path = form.format(segment)
    with pytest.raises(BuildError) as refusal:
        archive({path: b""})
    assert str(refusal.value) == f"{path!r} cannot be a file of the artifact; rename it."


def test_a_name_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BuildError, match="rename it"):
        archive({"caf\udce9": b""})


def test_the_key_is_named_by_service_and_digest() -> None:
    assert artifact_key("hello", "3f9c") == "hello/artifacts/3f9c.zip"
    assert Artifact(Path("x"), "hello", "3f9c", 1, 2).key == "hello/artifacts/3f9c.zip"


def test_the_manifest_says_what_was_built_and_nothing_that_varies() -> None:
    content = manifest("hello", Target("3.13", "arm64"), ["b==2", "a==1"])
    assert json.loads(content) == {
        "service": "hello",
        "python": "3.13",
        "platform": "linux-arm64",
        "dependencies": ["a==1", "b==2"],
    }
