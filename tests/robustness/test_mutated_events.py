"""Whatever arrives ends as a valid reply or as a clear error, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import queue
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service import handler
from tests.robustness import mutation
from tests.robustness.draw import SeededDraw
from tests.robustness.trial import Finding, Trial, findings, made, seed_of_run, shown, trial
from tests.robustness.verdict import LIMIT
from tests.service.conftest import environment, service_folder
from tests.service.events import function_url
from tests.service.runtime_api import Function, function

ROOT = Path(__file__).parent.parent.parent
PARTS = 8
EVENTS = int(os.environ.get("EVENTS", "104000"))
PROCESS_EVENTS = 2_000
# From 3.12 on awslambdaric escapes nothing, so that what is no UTF-8 would end the process.
UNESCAPED = {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}
# The last is awslambdaric's own, for JSON that is too deep for Python.
CLEAR = ("MalformedEventError", "UnhandledEventError", "Runtime.UnmarshalError")
ECHO = """
from tests.robustness.echo import Echo, router

app = Echo().app
events = router()
"""


def judge(seed: str, running: Trial, found: list[Finding]) -> None:
    """Prints what became of the events, and fails with what went wrong."""
    print(f"seed {seed}: {dict(running.outcomes)}")  # noqa: T201 - a run can be repeated by it
    if found:
        pytest.fail("\n".join(map(str, found)), pytrace=False)


@pytest.mark.parametrize("part", range(PARTS))
def test_mutated_events_end_well_in_a_careless_application(part: int) -> None:
    seed = f"{seed_of_run()}-{part}"
    with trial() as running:
        found = findings(running, seed, EVENTS // PARTS)
    judge(seed, running, found)


def test_mutated_events_end_well_in_the_handler_module_as_shipped() -> None:
    seed = f"{seed_of_run()}-shipped"
    with trial(handler.app, handler.events) as running:
        found = findings(running, seed, EVENTS // PARTS)
    judge(seed, running, found)


def test_every_valid_event_is_answered_or_taken() -> None:
    with trial() as running:
        wrong = {kind: running.try_event(mutation.valid(kind)) for kind in mutation.VALID}
    assert wrong.pop("websocket") == []  # which nobody takes
    assert wrong.pop("EventBridge") == []
    assert {kind: found for kind, found in wrong.items() if found} == {}
    assert dict(running.outcomes) == {"200": 6, "UnhandledEventError": 2, "taken": 7}


def test_a_seed_gives_the_same_events_each_time_and_another_gives_others() -> None:
    def made(seed: str) -> list[str]:
        return [shown(mutation.mutated(SeededDraw(f"{seed}-{at}"))) for at in range(200)]

    assert made("a") == made("a")
    assert len(set(made("a")) & set(made("b"))) < 20


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Function]:
    """The careless application under AWS's own runtime client."""
    with ExitStack() as stack:
        environ = environment() | {"PYTHONPATH": str(ROOT), **UNESCAPED}
        folder = service_folder(tmp_path, ECHO)
        yield stack.enter_context(function(folder, tmp_path / "function.log", environ))


def test_the_function_outlives_mutated_events(running: Function) -> None:
    for index, event in enumerate(carried(f"{seed_of_run()}-process", PROCESS_EVENTS)):
        try:
            answer = running.invoke(event, f"req-{index}")
        except queue.Empty:
            pytest.fail(f"no answer to {shown(event)}: {running.lines[-3:]}", pytrace=False)
        refused = answer.kind == "error" and answer.payload["errorType"] in CLEAR
        assert answer.kind == "response" or refused, f"{answer}\n{shown(event)}"
    assert running.process.poll() is None
    assert running.invoke(function_url("/plain")).payload["statusCode"] == 200


def carried(seed: str, count: int) -> Iterator[Any]:
    """Mutated events, but for those that are larger than Lambda takes."""
    for index in range(count):
        event = made(f"{seed}-{index}")
        if len(json.dumps(event)) <= LIMIT:
            yield event
