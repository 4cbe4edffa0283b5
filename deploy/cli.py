"""The `twofold` command: its overview, its exit codes, and the way to its commands.

What is imported here is paid for by every start, so click comes in only when there is
more to do than to show the overview, and a command's module only when it is run.
"""

from __future__ import annotations

import os
import sys

from deploy.errors import TwofoldError

TYPE_CHECKING = False  # typing's own costs more than the rest of this module
if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS = {
    "demo": "Play the whole stack on this machine once, ask both sides, and end.",
    "up": "Play the whole stack on this machine until Ctrl-C.",
    "build": "Build the artifact that Lambda and every instance run.",
    "template": "Print the CloudFormation template.",
    "provision": "Create or update the stack.",
    "status": "Show the stack and the digest that each side really runs.",
    "invoke": "Ask the service: a direct invocation, or HTTP on either side.",
    "delete": "Delete the stack.",
}
"""What each command does, in the order of the overview; a test holds the modules to it."""

EXIT_CODES = {
    0: "done, also when there was nothing to change",
    1: "the service answered with an error (invoke)",
    2: "a flag, a setting or a file of yours needs a change",
    3: "the artifact cannot be built",
    4: "AWS refused, or cannot be reached",
    5: "CloudFormation did not get there",
    6: "something on this machine is in the way",
    130: "interrupted with Ctrl-C",
}

USAGE = 2
INTERRUPTED = 130
_BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


def overview() -> str:
    """What `twofold --help` prints."""
    commands = "\n".join(f"  {name:<10} {text}" for name, text in COMMANDS.items())
    codes = "\n".join(f"  {code:<10} {text}" for code, text in EXIT_CODES.items())
    return f"""\
Usage: twofold [OPTIONS] COMMAND [ARGS]...

  One Python service on AWS Lambda and on EC2, from one artifact.

Commands:
{commands}

Options:
  --version  Show the version and the project's folder.
  -h, --help Show this, or after a COMMAND what that command takes.

Exit codes:
{codes}
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs `twofold` with these arguments (the process's own by default); gives its exit code."""
    return guarded(_run, sys.argv[1:] if arguments is None else arguments)


def guarded(run: Callable[[list[str]], int], arguments: list[str]) -> int:
    """The exit code that it gave, or the one for how it ended; says why on standard error."""
    try:
        code = run(arguments)
        sys.stdout.flush()
    except TwofoldError as error:
        sys.stderr.write(f"twofold: error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        reason = f". {interrupt}" if str(interrupt) else ""
        sys.stderr.write(f"twofold: interrupted{reason}\n")
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    return code


def _run(arguments: list[str]) -> int:
    if arguments in (["--help"], ["-h"]):
        sys.stdout.write(overview())
        return 0
    from deploy.group import run

    return run(arguments)


def _silence_stdout() -> None:
    """Nobody reads any more: the interpreter's own flush at exit must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
