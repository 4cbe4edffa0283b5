"""EDGE: the file of a JUnit report, which replaces nothing but another report, and only whole."""

from __future__ import annotations

import os
import re
from pathlib import Path

from deploy.errors import SettingsError

_REPORT = re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<testsuites?[\s/>]|$)")
_BEGINNING_BYTES = 1024


def refuse_unwritable(file: str) -> None:
    """Before anything is asked: a POST would have happened, and nobody would know what came.

    Raises:
        SettingsError: there is something else than a report, or none can be written.
    """
    if file in ("", "-"):
        raise SettingsError(f"--junit is {file!r}; expected the name of a file.")
    if _is_special(Path(file)):
        return
    path = Path(file).resolve()
    try:
        if path.exists():
            path.open("ab").close()
        _partial(path).touch()
        _partial(path).unlink()
    except OSError as error:
        raise _unwritable(file, error) from None
    if path.is_file() and not _REPORT.match(_beginning(path)):
        raise SettingsError(
            f"{file} is no JUnit report, and only such a one is overwritten. Pass another --junit."
        )


def write(file: str, report: bytes) -> None:
    """The report is in the file; or, after an error or Ctrl-C, the file is as it was.

    Raises:
        SettingsError: it cannot be written.
    """
    path = Path(file)
    try:
        if _is_special(path):
            path.write_bytes(report)
        else:
            _replace(path.resolve(), report)
    except OSError as error:
        raise _unwritable(file, error) from None


def _replace(path: Path, report: bytes) -> None:
    partial = _partial(path)
    try:
        partial.write_bytes(report)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}.partial")


def _is_special(path: Path) -> bool:
    """A device or a pipe, in whose place no file is put; by the name given, as its own is none."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _beginning(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(_BEGINNING_BYTES)


def _unwritable(file: str, error: OSError) -> SettingsError:
    return SettingsError(f"Cannot write {file}: {error.strerror}. Pass another --junit.")
