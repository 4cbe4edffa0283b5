"""What is kept is used, what is damaged is made again, nothing half done stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from deploy.artifact.cache import Cache, prune, write_whole
from deploy.artifact.member import Member, pack

MEMBERS = [pack("a", b"x" * 100), pack("b", b"", executable=True)]
DAY = 24 * 3600


class Maker:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> list[Member]:
        self.calls += 1
        return MEMBERS


def contents(members: list[Member]) -> list[tuple[str, bytes, bool]]:
    return [(member.path, member.content, member.executable) for member in members]


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    make, cache = Maker(), Cache(tmp_path / "cache")
    first, second = cache.members("key", make), cache.members("key", make)
    assert make.calls == 1
    assert contents(first) == contents(second) == contents(MEMBERS)


@pytest.mark.parametrize("damage", [b"", b"abc", b"\0" * 500])
def test_a_damaged_entry_is_made_again(tmp_path: Path, damage: bytes) -> None:
    make, cache = Maker(), Cache(tmp_path)
    cache.members("key", make)
    (tmp_path / "key").write_bytes(damage)
    assert contents(cache.members("key", make)) == contents(MEMBERS)
    cache.members("key", make)
    assert make.calls == 2


def test_one_flipped_bit_is_damage(tmp_path: Path) -> None:
    make, cache = Maker(), Cache(tmp_path)
    cache.members("key", make)
    content = bytearray((tmp_path / "key").read_bytes())
    content[40] ^= 1
    (tmp_path / "key").write_bytes(content)
    cache.members("key", make)
    assert make.calls == 2


def test_making_that_fails_keeps_nothing(tmp_path: Path) -> None:
    def fail() -> list[Member]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).members("key", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", b"new")  # a file cannot replace a folder
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_the_files_used_last_stay(tmp_path: Path) -> None:
    for age in range(5):
        (tmp_path / str(age)).write_text("")
        os.utime(tmp_path / str(age), (time.time() - age * 60,) * 2)
    prune(tmp_path, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_parts_of_a_build_that_runs_stay_and_abandoned_ones_go(tmp_path: Path) -> None:
    for name, age in ((".new.part", 0), (".old.part", 2 * DAY)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    prune(tmp_path, 0)
    assert [path.name for path in tmp_path.iterdir()] == [".new.part"]


def test_scratch_is_gone_afterwards_and_takes_abandoned_ones_along(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    abandoned, used = tmp_path / "scratch" / "abandoned", tmp_path / "scratch" / "used"
    abandoned.mkdir(parents=True)
    used.mkdir()
    (abandoned / "file").write_text("")
    os.utime(abandoned, (time.time() - 2 * DAY,) * 2)
    with pytest.raises(KeyboardInterrupt):
        _interrupted_in_scratch(cache)
    assert list((tmp_path / "scratch").iterdir()) == [used]


def _interrupted_in_scratch(cache: Cache) -> None:
    with cache.scratch() as folder:
        (folder / "file").write_text("")
        raise KeyboardInterrupt


def test_a_tree_is_filled_once_and_a_failed_one_is_not_kept(tmp_path: Path) -> None:
    cache, calls = Cache(tmp_path), []

    def fill(folder: Path) -> None:
        calls.append(folder)
        folder.mkdir()
        (folder / "file").write_text("")
        if len(calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.tree("key", fill)
    assert [path.name for path in tmp_path.rglob("*")] == ["trees", "scratch"]
    assert (cache.tree("key", fill) / "file").exists()
    assert cache.tree("key", fill) == tmp_path / "trees" / "key"
    assert len(calls) == 2


def test_the_trees_used_last_stay(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(5):
        tree = cache.tree(str(number), Path.mkdir)
        os.utime(tree, (time.time() - 60 + number,) * 2)
    assert sorted(path.name for path in (tmp_path / "trees").iterdir()) == ["2", "3", "4"]
