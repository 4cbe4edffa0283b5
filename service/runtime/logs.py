"""One JSON object a line, the same in both modes, under the standard library's logging.

Every line has time, level, logger, message, mode, digest and request_id; what a
caller passes as `extra` follows, then exception and stack where there are any.
Only ASCII leaves this module and every control character is escaped, so no
request can forge a line.
"""

import contextlib
import io
import json.encoder
import logging
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, TextIO

from service.settings import Settings

quoted = json.encoder.encode_basestring_ascii
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

# The standard library's own attributes, and uvicorn's colours.
_UNWANTED = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


@contextlib.contextmanager
def identified(request_id: str) -> Iterator[None]:
    """Lines written meanwhile carry the request ID."""
    token = REQUEST_ID.set(request_id)
    try:
        yield
    finally:
        REQUEST_ID.reset(token)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._origin = {"mode": settings.mode, "digest": settings.digest}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": utc(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._origin,
            "request_id": REQUEST_ID.get(),
        }
        return _dumps(line, _extras(record) | self._failure(record))

    def _failure(self, record: logging.LogRecord) -> dict[str, str]:
        failure = {}
        if record.exc_info and record.exc_info[0]:
            failure["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            failure["stack"] = record.stack_info
        return failure


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Every logger of this process writes JSON lines to `stream`, standard output by default.

    Handlers found on the root logger are replaced: awslambdaric installs one
    before it imports the function, and each line would be printed twice.
    """
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines(settings))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)


def origin(settings: Settings) -> str:
    """The fields that every line of this process shares, as a part of a JSON object."""
    return f'"mode":{quoted(settings.mode)},"digest":{quoted(settings.digest)}'


def standard_output() -> TextIO:
    """Standard output, on which what is written leaves at once, in one write."""
    return io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="ascii", write_through=True)


# Looked up, as printing a number takes longer.
_MILLISECONDS = tuple(f".{thousandths:03d}Z" for thousandths in range(1000))
_latest = (0.0, "1970-01-01T00:00:00")


def utc(seconds: float) -> str:
    """ISO 8601 with milliseconds, such as 2026-01-31T23:59:59.007Z."""
    global _latest  # noqa: PLW0603 - one tuple swapped at once, so threads need no lock
    second, text = _latest
    since = seconds - second
    if not 0.0 <= since < 1.0:
        second = seconds // 1
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _latest = second, text
        since = seconds - second
    return text + _MILLISECONDS[int(since * 1000)]


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _UNWANTED}


def _dumps(line: dict[str, Any], extras: dict[str, Any]) -> str:
    """A value that JSON cannot hold is shown by its repr: a log call never fails."""
    line |= {name: value for name, value in extras.items() if name not in line}
    try:
        return _compact(line)
    except (TypeError, ValueError, RecursionError):
        return _compact({k: v if isinstance(v, str) else repr(v) for k, v in line.items()})


def _compact(line: dict[str, Any]) -> str:
    return json.dumps(line, allow_nan=False, separators=(",", ":"))
