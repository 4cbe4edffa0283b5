"""A script: imports the service as both sides will, and says where that fails.

    python -I -S imports.py ROOT MODULE...

Only ROOT (the unpacked artifact) and the standard library are importable, so a dependency
that is merely installed on this machine is missed here, not first on AWS. The last line
on standard output is JSON: null, or file, line and error.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path


def first_problem(modules: list[str], root: Path) -> dict[str, object] | None:
    """Where, in which of the modules and why the import fails; nothing when all import."""
    for module in modules:
        try:
            importlib.import_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return {"module": module, **_place(error, root), "error": _text(error)}
    return None


def _place(error: BaseException, root: Path) -> dict[str, object]:
    """The last line of the service's own that was running, else the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(f"{root}{os.sep}")]
    own = [
        frame for frame in inside if Path(frame.filename).relative_to(root).parts[0] == "service"
    ]
    if not (own or inside):
        return {"file": None, "line": None}
    frame = (own or inside)[-1]
    return {"file": Path(frame.filename).relative_to(root).as_posix(), "line": frame.lineno}


def _text(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


def main(root: str, *modules: str) -> None:
    """Writes the first problem, or null, as JSON; never returns."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what the service prints is no answer of ours
    sys.path.insert(0, root)
    problem = first_problem(list(modules), Path(root))
    sys.stderr.flush()
    os.write(answer, json.dumps(problem).encode())
    os._exit(0)  # a thread that the service started does not hold the build


if __name__ == "__main__":
    main(*sys.argv[1:])
