"""EDGE: the files that the user names, read all before anything is asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.errors import SettingsError
from deploy.parity import curl_lines, har
from deploy.parity.request import Request

STDIN = "-"


def read(files: Sequence[str]) -> tuple[Request, ...]:
    """The requests of all files, in order.

    Raises:
        SettingsError: a line for each problem of each file.
    """
    problems: list[str] = []
    found = [request for file in files for request in _requests(file, problems)]
    if problems:
        raise SettingsError("\n".join(problems))
    return tuple(found)


def _requests(file: str, problems: list[str]) -> tuple[Request, ...]:
    try:
        content = _content(file)
    except ValueError as error:
        problems.append(f"{error}.")
        return ()
    before = len(problems)
    if har.is_har(content):
        found = har.requests_in(content, file, problems)
    else:
        folder = Path(file).parent
        found = curl_lines.requests_in(
            content, file, lambda name: _content(str(folder / name)), problems
        )
    if not found and len(problems) == before:
        problems.append(f"{file} holds no request. Write one a line, as in: curl /healthz")
    return found


def _content(file: str) -> bytes:
    if file == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"Cannot read {file}: {error.strerror}") from None
