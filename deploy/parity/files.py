"""EDGE: the files that the user names, read all before anything is asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.errors import SettingsError
from deploy.parity import curl_lines, har
from deploy.parity.request import Request

STDIN = "-"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PROBLEMS_SHOWN = 20


def read(files: Sequence[str], hosts: Sequence[str] = ()) -> tuple[Request, ...]:
    """The requests of all files, in order.

    Args:
        hosts: those that are meant, for the files that say how each request looked (HAR):
            what went to others is not judged. Without any, all are meant.

    Raises:
        SettingsError: a line for each problem of each file; of very many the first ones.
    """
    problems: list[str] = []
    found = [request for file in files for request in _requests(file, hosts, problems)]
    if problems:
        raise SettingsError("\n".join(_first(problems)))
    return tuple(found)


def _first(problems: Sequence[str]) -> Sequence[str]:
    more = len(problems) - _PROBLEMS_SHOWN
    return problems if more <= 0 else (*problems[:_PROBLEMS_SHOWN], f"... and {more} more.")


def _requests(file: str, hosts: Sequence[str], problems: list[str]) -> tuple[Request, ...]:
    try:
        content = _text(file)
    except ValueError as error:
        problems.append(f"{error}.")
        return ()
    before = len(problems)
    if har.is_har(content):
        found = har.requests_in(content, file, hosts, problems)
    else:
        folder = Path(file).parent
        found = curl_lines.requests_in(
            content, file, lambda name: _content(str(folder / name)), problems
        )
    if not found and len(problems) == before:
        problems.append(f"{file} holds no request. Write one a line, as in: curl /healthz")
    return found


def _text(file: str) -> bytes:
    content = _content(file).removeprefix(_BYTE_ORDER_MARK)
    if b"\0" in content:
        raise ValueError(f"{file} is no text in UTF-8; save curl lines, or a HAR file, as UTF-8")
    return content


def _content(file: str) -> bytes:
    if file == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"Cannot read {file}: {error.strerror}") from None
