"""EDGE: packed members kept from build to build, under .twofold/cache/.

An entry is named by a digest of everything that decides its content, and begins with the
CRC of the rest, so a damaged one is noticed and made again (whoever could forge one can
change this code as well). It is written aside and renamed, so two builds at once, or a
build that is stopped, never leave half of one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.artifact.member import Member, unzipped, zipped

_KEPT = 12
_TREES_KEPT = 3
_ABANDONED_AFTER = 24 * 3600
_CRC_SIZE = 4


@dataclass(frozen=True)
class Cache:
    """A folder of entries; it is made when the first one is."""

    folder: Path

    def members(self, key: str, make: Callable[[], list[Member]]) -> list[Member]:
        """The entry of this key, made when it is absent or damaged."""
        entry = self.folder / key
        kept = _read(entry)
        if kept is None:
            kept = make()
            archive = zipped(kept)
            write_whole(entry, _crc(archive) + archive)
            prune(self.folder, _KEPT)
        return kept

    def tree(self, key: str, fill: Callable[[Path], None]) -> Path:
        """A folder that `fill` filled, kept as an entry is; what is in it is not checked."""
        folder = self.folder / "trees" / key
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with self.scratch() as aside:
                fill(aside / "tree")
                with contextlib.suppress(OSError):  # another build was first
                    (aside / "tree").rename(folder)
            _prune_trees(folder.parent)
        mark_used(folder)
        return folder

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that is gone after the block; what a killed build left goes as well."""
        place = self.folder / "scratch"
        place.mkdir(parents=True, exist_ok=True)
        for left in place.iterdir():
            if _age(left) > _ABANDONED_AFTER:
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=place) as folder:
            yield Path(folder)


def write_whole(path: Path, content: bytes) -> None:
    """The file holds the content, or what it held before: never a part.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(aside, 0o644)  # noqa: PTH101 - mkstemp's 0600 would hide it from a group
        os.replace(aside, path)  # noqa: PTH105 - aside is text
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def prune(folder: Path, kept: int) -> None:
    """Only the files used last stay, and no part that a killed build left long ago."""
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=_age)
    parts = [path for path in files if path.suffix == ".part"]
    whole = [path for path in files if path.suffix != ".part"]
    for path in whole[kept:] + [part for part in parts if _age(part) > _ABANDONED_AFTER]:
        path.unlink(missing_ok=True)


def _prune_trees(folder: Path) -> None:
    for tree in sorted(folder.iterdir(), key=_age)[_TREES_KEPT:]:
        shutil.rmtree(tree, ignore_errors=True)


def mark_used(path: Path) -> None:
    """Counts as used now, when `prune` chooses."""
    with contextlib.suppress(OSError):  # another build may have pruned it, or own it
        os.utime(path)


def _read(entry: Path) -> list[Member] | None:
    try:
        content = entry.read_bytes()
        view = memoryview(content)
        if _crc(view[_CRC_SIZE:]) != content[:_CRC_SIZE]:
            return None
        mark_used(entry)
        return list(unzipped(view[_CRC_SIZE:]))
    except (FileNotFoundError, IsADirectoryError, struct.error, ValueError):
        return None


def _crc(content: bytes | memoryview) -> bytes:
    return zlib.crc32(content).to_bytes(_CRC_SIZE, "little")


def _age(path: Path) -> float:
    """Seconds since it was used."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # pruned by another build
        return float("inf")
