"""The `twofold` command: the way to its commands, and how each end becomes an exit code.

What is imported here is paid for by every start, so click comes in only when there is
more to do than to show the overview, and a command's module only when it is run.
"""

from __future__ import annotations

import errno
import os
import sys

from deploy.errors import LocalError, TwofoldError
from deploy.overview import overview

TYPE_CHECKING = False  # typing's own costs more than the rest of this module
if TYPE_CHECKING:
    from collections.abc import Callable

INTERRUPTED = 130
_BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended
# A file's size, a user's share, the whole disk; no bug of ours.
_FULL = (errno.EFBIG, errno.EDQUOT, errno.ENOSPC)


def main(arguments: list[str] | None = None) -> int:
    """Runs `twofold` with these arguments (the process's own by default); gives its exit code."""
    return guarded(_run, sys.argv[1:] if arguments is None else arguments)


def guarded(run: Callable[[list[str]], int], arguments: list[str]) -> int:
    """The exit code that it gave, or the one for how it ended; says why on standard error."""
    if sys.stdout is None:
        return _failed(LocalError("Standard output is closed. Send it somewhere."))
    try:
        code = run(arguments)
        sys.stdout.flush()
    except TwofoldError as error:
        return _failed(error)
    except KeyboardInterrupt as interrupt:
        reason = f". {interrupt}" if str(interrupt) else ""
        sys.stderr.write(f"twofold: interrupted{reason}\n")
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _settle_stdout()
        advice = "Make room, or send standard output somewhere else"
        return _failed(LocalError(f"Cannot write: {error.strerror}. {advice}."))
    return code


def _failed(error: TwofoldError) -> int:
    sys.stderr.write(f"twofold: error: {error}\n")
    return error.exit_code


def _run(arguments: list[str]) -> int:
    if arguments in (["--help"], ["-h"]):
        sys.stdout.write(overview())
        return 0
    from deploy.group import run

    return run(arguments)


def _settle_stdout() -> None:
    """If it is what is full, it is given up with what is left in it."""
    try:
        sys.stdout.flush()
    except OSError:
        _silence_stdout()


def _silence_stdout() -> None:
    """Nobody takes it any more: the interpreter's own flush at exit must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
