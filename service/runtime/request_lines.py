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

    def write(self, request: Ended) -> None:
        """The line of one request."""
        if logger.isEnabledFor(_level(*request[1:3])):
            self._put(self._line(request))

    def write_together(self, requests: Iterable[Ended]) -> None:
        """The lines of these requests, in writes that no other writer's can come between."""
        text = ""
        for request in requests:
            if logger.isEnabledFor(_level(*request[1:3])):
                line = self._line(request)
                if text and len(text) + len(line) > select.PIPE_BUF:
                    self._put(text)
                    text = ""
                text += line
        if text:
            self._put(text)

    def _line(self, request: Ended) -> str:
        method, path, status, request_id, moment, seconds = request
        parts = _parts if len(path) <= _LONGEST_KEPT else _parts.__wrapped__
        head, tail = parts(self._origin, method, path, status)
        return f'{{"time":"{utc(moment)}{head}{request_id}{tail}{seconds * 1000:.3f}}}\n'

    def _put(self, text: str) -> None:
        try:  # noqa: SIM105 - contextlib.suppress takes as long as making the line
            self._stream.write(text)
        except (OSError, ValueError):
            pass  # a full disk or a closed log must not fail the requests


@functools.lru_cache(maxsize=256)
def _parts(origin: str, method: str, path: str, status: int) -> tuple[str, str]:
    """What a request's line shares with the lines of equal requests."""
    level = _level(path, status)
    message = quoted(f"{method} {path} {status}")
    return (
        f'","level":"{logging.getLevelName(level)}","logger":"service.request",'
        f'"message":{message},{origin},"request_id":"',
        f'","method":{quoted(method)},"path":{quoted(path)},"status":{status},"ms":',
    )


def _level(path: str, status: int) -> int:
    """The pollers of `/healthz` would drown everything else."""
    if status >= _FAILURE or not status:
        return logging.ERROR
    return logging.DEBUG if path == HEALTH_PATH else logging.INFO
