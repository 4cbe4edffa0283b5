"""The function's life under AWS's own runtime client: cold, warm, late, broken, back again."""

import asyncio
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import runtime_client
from deploy.local.environment import Function
from deploy.local.execution_environment import Result, Site
from deploy.local.function import RunningFunction, trace_id
from deploy.local.server import Background
from deploy.local.workspace import Workspace

Start = Callable[..., "Running"]


class Running:
    """A function whose invocations are waited for."""

    def __init__(self, background: Background, function: RunningFunction) -> None:
        self._background = background
        self._function = function

    def invoke(self, event: object = None, client_context: str = "") -> Result:
        return self.together(event, client_context=client_context)[0]

    def together(self, *events: object, client_context: str = "") -> list[Result]:
        async def all_of_them() -> list[Result]:
            coming = (self._function.invoke(json.dumps(e).encode(), client_context) for e in events)
            return list(await asyncio.gather(*coming))

        return self._background.run(all_of_them())


@pytest.fixture
def background() -> Iterator[Background]:
    with Background() as opened:
        yield opened


@pytest.fixture
def start(workspace: Workspace, background: Background) -> Iterator[Start]:
    """Starts a function made of one module's text, with settings of one's own."""
    runtime = workspace.folder / "runtime"
    runtime_client.link_into(runtime)
    started: list[RunningFunction] = []

    def begin(source: str, **settings: Any) -> Running:
        task = workspace.folder / "task"
        task.mkdir()
        (task / "tiny.py").write_text(source)
        given = {"memory": 128, "timeout": 3.0, "environment": {}, **settings}
        concurrency = given.pop("concurrency", 4)
        described = Function("tiny", "tiny.handler", region="eu-central-1", account="0", **given)
        site = Site(workspace, described, task, runtime, "http://embedded")

        async def make() -> RunningFunction:
            return RunningFunction(site, concurrency)

        started.append(background.run(make()))
        return Running(background, started[-1])

    yield begin
    for one in started:
        background.run(one.stop())


def payload(result: Result) -> Any:
    return json.loads(result.answer.payload)


ECHO = """
import os
def handler(event, context):
    print("said", event)
    return {"event": event, "pid": os.getpid()}
"""


def test_the_handler_gets_the_event_and_its_answer_comes_back(start: Start) -> None:
    result = start(ECHO).invoke({"a": "ü"})
    assert (payload(result)["event"], result.answer.error_type) == ({"a": "ü"}, "")


def test_a_second_invocation_meets_the_same_warm_process(start: Start) -> None:
    function = start(ECHO)
    first, second = function.invoke(1), function.invoke(2)
    assert payload(first)["pid"] == payload(second)["pid"]
    assert first.report.init is not None
    assert second.report.init is None


def test_the_log_reads_like_lambdas_own(start: Start) -> None:
    shown = start(ECHO, memory=256).invoke(1).log.decode().splitlines()
    assert re.fullmatch(r"INIT_START Runtime Version: python:3\.\d+\.\d+", shown[0])
    assert re.fullmatch(r"START RequestId: [0-9a-f-]{36} Version: \$LATEST", shown[1])
    assert shown[2] == "said 1"
    assert re.fullmatch(r"END RequestId: [0-9a-f-]{36}", shown[3])
    assert re.fullmatch(
        r"REPORT RequestId: [0-9a-f-]{36}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 256 MB\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t",
        shown[4],
    )


def test_the_memory_that_is_reported_was_measured(start: Start) -> None:
    report = start("kept = bytearray(60_000_000)\n" + ECHO, memory=256).invoke(1).report
    assert 60 < report.used < 200


CONTEXT = """
def handler(event, context):
    return {
        "left": context.get_remaining_time_in_millis(), "id": context.aws_request_id,
        "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
        "name": context.function_name, "custom": context.client_context.custom,
    }
"""


def test_the_context_says_what_lambda_would(start: Start) -> None:
    seen = payload(start(CONTEXT).invoke({}, client_context='{"custom": {"a": 1}}'))
    assert 1000 < seen.pop("left") <= 3000
    assert re.fullmatch("[0-9a-f-]{36}", seen.pop("id"))
    assert seen == {
        "arn": "arn:aws:lambda:eu-central-1:0:function:tiny",
        "memory": "128",
        "name": "tiny",
        "custom": {"a": 1},
    }


ENVIRONMENT = """
import os, sys
def handler(event, context):
    return {"environment": dict(os.environ), "path": sys.path, "folder": os.getcwd()}
"""


def test_nothing_of_the_laptops_environment_leaks_in(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_LAPTOP", "1")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    seen = payload(start(ENVIRONMENT, environment={"GIVEN": "2"}).invoke())["environment"]
    assert not {"OF_THE_LAPTOP", "AWS_PROFILE", "HOME", "VIRTUAL_ENV"} & seen.keys()
    assert seen["GIVEN"] == "2"
    assert (seen["TZ"], seen["AWS_REGION"]) == (":UTC", "eu-central-1")
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"


def test_it_runs_where_its_code_lies_and_sees_no_other_packages(
    start: Start, workspace: Workspace
) -> None:
    seen = payload(start(ENVIRONMENT).invoke())
    assert seen["folder"] == seen["environment"]["LAMBDA_TASK_ROOT"]
    assert not [entry for entry in seen["path"] if "site-packages" in entry]


def test_a_package_that_the_artifact_lacks_is_missing_here_too(start: Start) -> None:
    result = start("import boto3\n" + ECHO).invoke()
    assert payload(result)["errorType"] == "Runtime.ImportModuleError"
    assert payload(result)["errorMessage"] == (
        "Unable to import module 'tiny': No module named 'boto3'"
    )


SLOW = """
import os, time
def handler(event, context):
    if event: time.sleep(event)
    return os.getpid()
"""


def test_one_that_takes_too_long_is_ended_and_started_again(start: Start) -> None:
    function = start(SLOW, timeout=1.5)
    before = payload(function.invoke(0))
    late = function.invoke(60)
    said = payload(late)["errorMessage"]
    assert re.fullmatch(r"RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.50 seconds", said)
    assert payload(late)["errorType"] == "Sandbox.Timedout"
    assert b"Task timed out after 1.50 seconds" in late.log
    assert payload(function.invoke(0)) != before
    assert not _runs(before)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


EXITS = """
import os
def handler(event, context):
    if event is None: return "well"
    if event < 0: os.kill(os.getpid(), -event)
    os._exit(event)
"""


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (3, "Runtime exited with error: exit status 3"),
        (0, "Runtime exited without providing a reason"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_process_that_ends_is_reported_and_replaced(start: Start, event: int, said: str) -> None:
    function = start(EXITS)
    result = function.invoke(event)
    assert payload(result)["errorType"] == "Runtime.ExitError"
    assert payload(result)["errorMessage"].endswith(f" Error: {said}")
    assert payload(function.invoke(None)) == "well"


def test_more_memory_than_its_setting_kills_it(start: Start) -> None:
    source = """
import time
def handler(event, context):
    kept = bytearray(200_000_000)
    time.sleep(10)
"""
    result = start(source, memory=128, timeout=20.0).invoke()
    assert payload(result)["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert result.report.used == 128
    assert result.report.duration < 5000


def test_an_exception_of_the_handler_is_its_answer(start: Start) -> None:
    source = "def handler(event, context):\n    raise KeyError('what')\n"
    result = start(source).invoke()
    assert result.answer.error_type
    assert payload(result)["errorType"] == "KeyError"
    assert payload(result)["errorMessage"] == "'what'"


def test_a_module_that_fails_to_load_answers_with_its_own_error(start: Start) -> None:
    function = start("raise RuntimeError('no database')")
    for result in (function.invoke(), function.invoke()):
        assert payload(result)["errorType"] == "RuntimeError"
        assert payload(result)["errorMessage"] == "no database"
        assert b"no database" in result.log


def test_one_that_ends_while_loading_is_reported(start: Start) -> None:
    result = start("import os; os._exit(7)").invoke()
    assert payload(result)["errorMessage"].endswith("Runtime exited with error: exit status 7")


def test_an_answer_over_the_limit_is_refused_and_the_next_one_works(start: Start) -> None:
    function = start("def handler(event, context): return 'x' * event")
    assert payload(function.invoke(7_000_000)) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size "
        "(6291556 bytes).",
    }
    assert payload(function.invoke(3)) == "xxx"


def test_a_slow_invocation_does_not_hold_up_a_quick_one(start: Start) -> None:
    slow, quick = start(SLOW).together(1.5, 0)
    assert payload(slow) != payload(quick)
    assert quick.report.duration < 1000


def test_beyond_the_concurrency_invocations_wait_for_their_turn(start: Start) -> None:
    started = time.monotonic()
    results = start(SLOW, concurrency=1).together(0.3, 0.3, 0.3)
    assert len({payload(result) for result in results}) == 1
    assert time.monotonic() - started > 0.9


def test_a_trace_id_has_the_documented_form() -> None:
    assert trace_id(1_700_000_000.5, lambda count: b"\xab" * count) == (
        "Root=1-6553f100-abababababababababababab;Parent=abababababababab;Sampled=0"
    )
