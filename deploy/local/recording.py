"""The file of `twofold up --record`: each request that a side got, as a curl line."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from deploy.errors import SettingsError
from deploy.parity import curl_writer
from deploy.parity.request import Request

_HEADING = "# Recorded by 'twofold up --record'. Headers and bodies may hold secrets.\n"


class Recording:
    """A context manager: the new file, which only this user may read, open for more lines.

    A line is written by one call, so that a program that is killed leaves whole ones; of one
    that a full disk cuts short nothing stays. At the end a file without any request is removed.

    Args:
        note: takes a sentence for the user.

    Raises:
        SettingsError: there is a file already, or none can be made.
    """

    def __init__(self, path: Path, note: Callable[[str], None]) -> None:
        self._path = path
        self._note = note
        self._recorded = 0
        self._left_out = 0
        self._broken = False

    def __enter__(self) -> Recording:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._descriptor = os.open(self._path, flags, 0o600)
        except FileExistsError:
            if self._path.is_dir():
                raise SettingsError(f"{self._path} is a folder. Pass another --record.") from None
            raise SettingsError(
                f"{self._path} exists already. Pass another --record, or delete it first."
            ) from None
        except OSError as error:
            raise SettingsError(
                f"Cannot write {self._path}: {error.strerror}. Pass another --record."
            ) from None
        self._write(_HEADING)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
        if not self._recorded:
            self._path.unlink(missing_ok=True)
        self._note(self._end())

    def add(self, side: str, request: Request) -> None:
        """The request is in the file."""
        if self._write(f"{curl_writer.line(request)}  # {side}\n"):
            self._recorded += 1

    def leave_out(self, side: str, request: Request, reason: str) -> None:
        """The file says that the request was there, and why it cannot be replayed."""
        if self._write(f"# {side}: {request.label} is left out: {reason}\n"):
            self._left_out += 1

    def _write(self, line: str) -> bool:
        if self._broken:
            return False
        whole = os.fstat(self._descriptor).st_size
        left = line.encode("utf-8", "backslashreplace")
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            os.ftruncate(self._descriptor, whole)
            self._broken = True
            self._note(f"{self._path} cannot be written ({error.strerror}); recording has ended.")
        return not self._broken

    def _end(self) -> str:
        left = f", and {self._left_out} left out, each with the reason" if self._left_out else ""
        if not self._recorded:
            return f"No request was recorded{left}; {self._path} is not kept."
        noun = "request" if self._recorded == 1 else "requests"
        return (
            f"Recorded {self._recorded} {noun} in {self._path}{left}. "
            f"Replay with: twofold parity --local {shlex.quote(str(self._path))}"
        )
