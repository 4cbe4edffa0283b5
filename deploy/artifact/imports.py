"""A script: imports the service as both sides will, and says where that fails.

    python -I -S imports.py MODULE,MODULE... SECONDS QUEUES ROOT...

Only the roots (the unpacked artifact) and the standard library are importable, so a
dependency that is merely installed on this machine is missed here, not first on AWS.
Standard output gets JSON: null; module, place and error; or a list of what is wrong with event
handlers when an invocation of the function may take SECONDS, and when these are the stack's
QUEUES: a JSON list of [name, SQS's name, 'lambda' or 'instance'].
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
    """The last line of the service's own that was running, else the last of the artifact's.

    What the service's runtime refuses, its caller declares.
    """
    frames = [
        (frame.filename.removeprefix(root + os.sep), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        for root in roots
        if frame.filename.startswith(root + os.sep)
    ]
    service, runtime = f"service{os.sep}", f"service{os.sep}runtime{os.sep}"
    own = [frame for frame in frames if frame[0].startswith(service)]
    declared = [frame for frame in own if not frame[0].startswith(runtime)]
    places = [f"{file} line {line}" for file, line in declared or own or frames]
    return places[-1] if places else None


def _text(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


def too_long(seconds: int) -> list[str]:
    """What the handler module's event handlers say to that."""
    events = getattr(sys.modules["service.handler"], "events", None)
    return [] if events is None else list(events.too_long(seconds))


def untaken(queues: Sequence[Sequence[str]]) -> list[str]:
    """A line for each queue whose messages no event handler takes where they are worked off."""
    if not queues:
        return []
    router = importlib.import_module("service.runtime.events").EventRouter
    runtime = importlib.import_module("service.runtime.event_handler").Runtime
    unhandled = importlib.import_module("service.errors").UnhandledEventError
    events = getattr(sys.modules["service.handler"], "events", router())
    urls = {name: f"/{full_name}" for name, full_name, _ in queues}
    problems = []
    for name, full_name, mode in queues:
        record = {"eventSource": "aws:sqs", "eventSourceARN": f"arn:aws:sqs:::{full_name}"}
        try:
            events.handler({"Records": [record]}, runtime(mode, urls))
        except unhandled as error:
            problems.append(
                f"No handler takes queue {name!r} of deploy/topology.py, which has "
                f"runtime={mode!r}. {error} Or correct the name in one of the two files."
            )
    return problems


def main(modules: str, seconds: str, queues: str, *roots: str) -> None:
    """Writes the first problem, or null, as JSON; never returns."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what the service prints is no answer of ours
    sys.path[:0] = roots
    problem = first_problem(modules.split(","), roots) or [
        *too_long(int(seconds)),
        *untaken(json.loads(queues)),
    ]
    sys.stderr.flush()
    os.write(answer, json.dumps(problem or None).encode())
    os._exit(0)  # a thread that the service started does not hold the build


if __name__ == "__main__":
    main(*sys.argv[1:])
