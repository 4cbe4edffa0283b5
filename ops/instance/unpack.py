"""Unpacks an artifact into a folder, after looking at every name in it.

Exits with 65 when the artifact is at fault (not a zip, damaged, a path that climbs out, anything
but plain files and folders) and with 74 when this machine is (a full disk, for one).
"""

import stat
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath

ARTIFACT_AT_FAULT = 65  # EX_DATAERR of sysexits.h
MACHINE_AT_FAULT = 74  # EX_IOERR


def objection(entry: zipfile.ZipInfo) -> str:
    """Why this entry must not be unpacked; empty when it may."""
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
        return f"'{entry.filename}' climbs out of the release's folder"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"'{entry.filename}' is neither a file nor a folder"
    return ""


def unpack(artifact: Path, folder: Path) -> None:
    """Writes every file with mode 0644 or 0755, whatever else the zip says.

    Raises:
        ValueError: an entry is refused; nothing is written then.
    """
    with zipfile.ZipFile(artifact) as archive:
        entries = archive.infolist()
        refused = [text for text in map(objection, entries) if text]
        if refused:
            raise ValueError(refused[0])
        for entry in entries:
            written = Path(archive.extract(entry, folder))
            executable = entry.is_dir() or (entry.external_attr >> 16) & stat.S_IXUSR
            written.chmod(0o755 if executable else 0o644)


if __name__ == "__main__":
    try:
        unpack(Path(sys.argv[1]), Path(sys.argv[2]))
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(ARTIFACT_AT_FAULT)
    except OSError as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(MACHINE_AT_FAULT)
