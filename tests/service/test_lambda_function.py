"""service.lambda_function under AWS's own runtime client, in a process of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from tests.service.conftest import PATIENCE, ROOT, environment, service_folder
from tests.service.events import function_url, sqs
from tests.service.runtime_api import Function, function

Run = Callable[..., Function]
DIGEST = "0123456789abcdef" * 4

BROKEN_ROUTE = """
from starlette.applications import Starlette
from starlette.routing import Route

async def broken(request):
    raise ZeroDivisionError("by zero")

app = Starlette(routes=[Route("/", broken)])
"""

BROKEN_START = """
from contextlib import asynccontextmanager
from starlette.applications import Starlette

@asynccontextmanager
async def life(app):
    raise LookupError("no database")
    yield

app = Starlette(lifespan=life)
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs functions, of the given handler module or of the one shipped."""
    with ExitStack() as stack:

        def start(handler: str | None = None, *, seconds: float = 60.0, **environ: str) -> Function:
            folder = service_folder(tmp_path, handler) if handler else ROOT
            printed = tmp_path / "function.log"
            return stack.enter_context(
                function(folder, printed, environment() | environ, seconds=seconds)
            )

        yield start


def test_an_http_event_a_direct_invoke_and_an_unknown_event(run: Run) -> None:
    running = run(SERVICE_DIGEST=DIGEST)
    health = running.invoke(function_url("/healthz")).payload
    assert health["statusCode"] == 200
    told = json.loads(health["body"])
    assert (told["mode"], told["digest"]) == ("lambda", DIGEST)
    assert running.invoke(["any", "thing"]).payload == "Hello world from Twofold!"
    refused = running.invoke(sqs("a"))
    assert (refused.kind, refused.payload["errorType"]) == ("error", "UnhandledEventError")
    assert refused.payload["errorMessage"].startswith(
        "Nobody handles the event aws:sqs queue orders "
    )
    assert running.invoke(function_url("/")).payload["body"] == "Hello world from Twofold!"


def test_a_request_is_printed_once_in_our_format_with_lambdas_request_id(run: Run) -> None:
    running = run(SERVICE_DIGEST=DIGEST)
    reply = running.invoke(function_url("/"), "req-7").payload
    assert reply["headers"]["x-request-id"] == "req-7"
    (line,) = [json.loads(line) for line in running.lines]
    assert (line["message"], line["request_id"], line["mode"], line["digest"]) == (
        "GET / 200",
        "req-7",
        "lambda",
        DIGEST,
    )


def test_a_failing_route_is_printed_once_with_the_request_id(run: Run) -> None:
    running = run(BROKEN_ROUTE)
    assert running.invoke(function_url("/"), "req-8").payload["statusCode"] == 500
    written = [json.loads(line) for line in running.lines]
    failures = [line for line in written if "exception" in line]
    assert [line["request_id"] for line in failures] == ["req-8"]


SLOW_ROUTE = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def slow(request):
    await asyncio.sleep(3600)

async def quick(request):
    return PlainTextResponse("quick")

app = Starlette(routes=[Route("/slow", slow), Route("/quick", quick)])
"""


def test_a_request_out_of_time_is_answered_before_lambda_ends_the_process(run: Run) -> None:
    running = run(SLOW_ROUTE, seconds=2.0)
    reply = running.invoke(function_url("/slow"), "req-10").payload
    assert (reply["statusCode"], reply["headers"]["x-request-id"]) == (504, "req-10")
    assert "Request ID: req-10." in reply["body"]
    assert running.invoke(function_url("/quick")).payload["body"] == "quick"
    assert running.process.poll() is None


CANCELLED = """
import asyncio
from service.runtime.events import EventRouter

events = EventRouter()

async def app(scope, receive, send):
    pass

@events.invoke
async def invoke(payload):
    task = asyncio.ensure_future(asyncio.sleep(0))
    if payload == "cancel":
        task.cancel()
    await task
    return payload
"""


def test_an_event_handler_that_awaits_a_cancelled_task_fails_its_invocation_only(run: Run) -> None:
    running = run(CANCELLED)
    running.events.put(("req-9", "cancel"))
    answer = running.answers.get(timeout=PATIENCE)
    assert (answer.kind, answer.payload["errorMessage"]) == (
        "error",
        "A task that the event handler awaited was cancelled.",
    )
    assert running.invoke("go on").payload == "go on"


RAISES = """
from service.runtime.events import EventRouter

events = EventRouter()

async def app(scope, receive, send):
    pass

class Odd(Exception):
    def __str__(self):
        raise KeyError("no text")

def deep():
    deep()

@events.invoke
def invoke(payload):
    match payload:
        case "surrogate":
            raise ValueError("a\\ud800b")
        case "long":
            raise ValueError("x" * 70_000)
        case "odd":
            raise Odd()
        case "deep":
            deep()
    return payload
"""


@pytest.mark.parametrize("what", ["surrogate", "long", "odd", "deep"])
def test_an_exception_that_cannot_be_told_of_fails_its_invocation_only(run: Run, what: str) -> None:
    running = run(RAISES)
    answer = running.invoke(what)
    assert (answer.kind, answer.payload["errorType"]) == ("error", "EventHandlerError")
    assert answer.payload["errorMessage"].startswith("The event handler raised ")
    assert running.invoke("go on").payload == "go on"


def started(running: Function) -> Any:
    """The failed start that Lambda is told of."""
    answer = running.answers.get(timeout=PATIENCE)
    assert answer.kind == "init/error"
    assert running.process.wait(timeout=PATIENCE) != 0
    return answer.payload


def test_a_failed_start_of_the_application_is_its_own_error(run: Run) -> None:
    told = started(run(BROKEN_START))
    assert (told["errorType"], told["errorMessage"]) == ("LookupError", "no database")


def test_a_handler_module_that_raises_fails_the_start_with_its_own_error(run: Run) -> None:
    running = run("app = 1 / 0\n")
    told = started(running)
    assert (told["errorType"], told["errorMessage"]) == ("ZeroDivisionError", "division by zero")
    assert "handler.py" in "".join(told["stackTrace"])


def test_a_handler_module_that_misses_a_module_is_told_with_its_place(run: Run) -> None:
    running = run("import os\nimport not_there\n")
    assert "No module named 'not_there'" in started(running)["errorMessage"]
    written = [json.loads(line) for line in running.lines if line.startswith("{")]
    (line,) = [line for line in written if line["level"] == "CRITICAL"]
    assert line["message"].startswith(
        "service.handler cannot be imported: ModuleNotFoundError: No module named 'not_there'"
    )
    assert re.search(r"handler\.py, line 2\)", line["message"])


def test_malformed_settings_fail_the_start(run: Run) -> None:
    told = started(run(SERVICE_DIGEST="latest"))
    assert told["errorType"] == "SettingsError"
    assert told["errorMessage"].startswith("SERVICE_DIGEST is 'latest'; expected ")


LIVES = """
from contextlib import asynccontextmanager
from starlette.applications import Starlette

@asynccontextmanager
async def life(app):
    yield
    print("shut down", flush=True)

app = Starlette(lifespan=life)
"""


def test_sigterm_shuts_the_application_down_where_the_runtime_hears_it(run: Run) -> None:
    running = run(LIVES, AWS_EXECUTION_ENV="AWS_Lambda_python3.12")
    assert running.invoke(function_url("/")).payload["statusCode"] == 404
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=PATIENCE) == -signal.SIGTERM
    assert running.lines[-1] == "shut down"


def test_sigterm_ends_an_older_runtime_at_once(run: Run) -> None:
    running = run(LIVES, AWS_EXECUTION_ENV="AWS_Lambda_python3.11")
    assert running.invoke(function_url("/")).payload["statusCode"] == 404
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=PATIENCE) == -signal.SIGTERM
    assert "shut down" not in running.lines


def requirements(*names: str) -> set[str]:
    """The distributions `names` and all that they need on this machine."""
    found = set(names)
    for name in names:
        for line in distribution(name).requires or ():
            requirement, _, marker = line.partition(";")
            if "extra ==" not in marker and "python_version <" not in marker:
                match = re.match(r"[A-Za-z0-9._-]+", requirement)
                assert match is not None
                found |= requirements(match[0])
    return found


def link(name: str, folder: Path) -> None:
    """Puts the distribution into `folder`, as the artifact would hold it."""
    found = distribution(name)
    for part in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
        (folder / part).symlink_to(Path(str(found.locate_file(part))).resolve())


def test_the_entry_point_needs_and_loads_neither_boto3_nor_uvicorn_nor_click(
    tmp_path: Path,
) -> None:
    (tmp_path / "service").symlink_to(ROOT / "service")
    for name in requirements("mangum", "starlette"):
        link(name, tmp_path)
    probe = (
        "import sys; import service.lambda_function\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'boto3', 'botocore', 'uvicorn', 'click', 'deploy', 'argparse'}))"
    )
    hermetic = [sys.executable, "-S", "-c", probe]
    done = subprocess.run(hermetic, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "[]\n"
    # nor when they are there to be found
    with_all = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert with_all.stdout == "[]\n"
