"""The log line of a request, the same in both modes."""

import functools
import logging
import select
from collections.abc import Iterable
from typing import TextIO

from service.runtime.logs import origin, quoted, standard_output, utc
from service.settings import Settings

HEALTH_PATH = "/healthz"
# Method, path, status, request ID; when it ended, and how many seconds it took.
Ended = tuple[str, str, int, str, float, float]

logger = logging.getLogger("service.request")
_FAILURE = 500
_LONGEST_KEPT = 128  # of a path; so that what is kept stays small, whatever is asked for


class RequestLines:
    """Writes past the logging module, which would take longer than the rest of a request.

    Logger `service.request` still decides by its level. The query string is left out, as
    it may hold secrets. Status 0 is a request that got no whole answer.
    """

    def __init__(self, settings: Settings, stream: TextIO | None = None) -> None:
        self._origin = origin(settings)
        self._stream = stream or standard_output()

    def write(self, requests: Iterable[Ended]) -> None:
        """The lines of these requests, in writes that no other writer's can come between."""
        text = ""
        for method, path, status, request_id, moment, seconds in requests:
            line = _line if len(path) <= _LONGEST_KEPT else _line.__wrapped__
            level, head, tail = line(self._origin, method, path, status)
            if logger.isEnabledFor(level):
                whole = f'{{"time":"{utc(moment)}{head}{request_id}{tail}{seconds * 1000:.3f}}}\n'
                if text and len(text) + len(whole) > select.PIPE_BUF:
                    self._put(text)
                    text = ""
                text += whole
        if text:
            self._put(text)

    def _put(self, text: str) -> None:
        try:  # noqa: SIM105 - contextlib.suppress takes as long as making the line
            self._stream.write(text)
        except (OSError, ValueError):
            pass  # a full disk or a closed log must not fail the requests


@functools.lru_cache(maxsize=256)
def _line(origin: str, method: str, path: str, status: int) -> tuple[int, str, str]:
    """The level of a request's line, and what it shares with the lines of equal requests."""
    level = _level(path, status)
    message = quoted(f"{method} {path} {status}")
    return (
        level,
        f'","level":"{logging.getLevelName(level)}","logger":"service.request",'
        f'"message":{message},{origin},"request_id":"',
        f'","method":{quoted(method)},"path":{quoted(path)},"status":{status},"ms":',
    )


def _level(path: str, status: int) -> int:
    """The pollers of `/healthz` would drown everything else."""
    if status >= _FAILURE or not status:
        return logging.ERROR
    return logging.DEBUG if path == HEALTH_PATH else logging.INFO
