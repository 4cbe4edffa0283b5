"""A script: imports the service as both sides will, and says where that fails.

    python -I -S imports.py MODULE,MODULE... ROOT...

Only the roots (the unpacked artifact) and the standard library are importable, so a
dependency that is merely installed on this machine is missed here, not first on AWS.
Standard output gets JSON: null, or module, place and error.
"""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence


def first_problem(modules: Sequence[str], roots: Sequence[str]) -> dict[str, str | None] | None:
    """Where, in which of the modules and why the import fails; nothing when all import."""
    for module in modules:
        try:
            importlib.import_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return {"module": module, "place": _place(error, roots), "error": _text(error)}
    return None


def _place(error: BaseException, roots: Sequence[str]) -> str | None:
    """The last line of the service's own that was running, else the last of the artifact's."""
    frames = [
        (frame.filename.removeprefix(root + os.sep), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        for root in roots
        if frame.filename.startswith(root + os.sep)
    ]
    own = [frame for frame in frames if frame[0].startswith(f"service{os.sep}")]
    places = [f"{file} line {line}" for file, line in own or frames]
    return places[-1] if places else None


def _text(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


def main(modules: str, *roots: str) -> None:
    """Writes the first problem, or null, as JSON; never returns."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what the service prints is no answer of ours
    sys.path[:0] = roots
    problem = first_problem(modules.split(","), roots)
    sys.stderr.flush()
    os.write(answer, json.dumps(problem).encode())
    os._exit(0)  # a thread that the service started does not hold the build


if __name__ == "__main__":
    main(*sys.argv[1:])
