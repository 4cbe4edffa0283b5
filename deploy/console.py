"""Progress for a person, on standard error; results go to standard output, elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


def _to_stderr(line: str) -> None:
    click.echo(line, err=True)


class Console:
    """Says what is being done and how long it took, a line each.

    Args:
        write: takes one finished line.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        write: Callable[[str], None] = _to_stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock

    def note(self, text: str) -> None:
        self._write(text)

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """The block's purpose is shown when it starts, and how it ended when it has."""
        self._write(f"{doing} ...")
        start = self._clock()
        try:
            yield
        except BaseException:
            self._write(f"{doing} failed after {self._clock() - start:.1f} s")
            raise
        self._write(f"{doing}: done in {self._clock() - start:.1f} s")
