"""EDGE: the service's own files that ship: service/ and ops/."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import BuildError

FOLDERS = ("service", "ops")


@dataclass(frozen=True)
class File:
    """A file's content, and whether it may be run."""

    content: bytes
    executable: bool

    @classmethod
    def read(cls, path: Path | str) -> File:
        with open(path, "rb") as file:  # noqa: PTH123 - a third of Path.open's time, a file each
            mode = os.fstat(file.fileno()).st_mode
            return cls(file.read(), bool(mode & stat.S_IXUSR))


def sources(root: Path) -> dict[str, File]:
    """What ships of the project in `root`, by its path in the zip.

    Left out: caches of bytecode and everything whose name begins with a dot. A shell script
    under ops/ may be run, whatever its mode here.

    Raises:
        BuildError: there is no service/, or a symbolic link, whose target may lie outside.
    """
    files = {path: file for folder in FOLDERS for path, file in _walk(str(root / folder), folder)}
    if not any(path.startswith("service/") for path in files):
        raise BuildError(f"{root / 'service'} has no files; run twofold in a Twofold project.")
    return files


def _walk(folder: str, path: str) -> Iterator[tuple[str, File]]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        name = f"{path}/{entry.name}"
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_symlink():
            raise BuildError(
                f"{name} is a symbolic link. Put the file itself there: the artifact holds only "
                "what the project's own folders hold."
            )
        if entry.is_dir():
            yield from _walk(entry.path, name)
        elif not name.endswith((".pyc", ".pyo")):
            file = File.read(entry.path)
            is_script = name.startswith("ops/") and name.endswith(".sh")
            yield name, File(file.content, file.executable or is_script)
