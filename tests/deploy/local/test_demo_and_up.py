"""`twofold demo` and `twofold up` as a user runs them, ended in every way there is."""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.local.programs import (
    SECONDS,
    Eventually,
    Processes,
    Program,
    Run,
    copied,
    get,
    record,
)
from tests.deploy.local.queues import add_queues
from tests.ports import free_port


def test_the_demo_shows_one_greeting_and_one_digest_from_both_sides(run: Run) -> None:
    demo = run("demo", "--json")
    assert demo.end() == 0, "".join(demo.progress)
    shown = json.loads(demo.output())
    greetings = [one for one in shown["answers"] if one["url"].endswith("/")]
    assert [one["side"] for one in greetings] == ["lambda", "instance"]
    assert {one["body"] for one in greetings} == {"Hello world from Twofold!"}
    assert {one["digest"] for one in shown["answers"]} == {shown["digest"]}
    health = [json.loads(one["body"]) for one in shown["answers"] if "healthz" in one["url"]]
    assert [one["mode"] for one in health] == ["lambda", "instance"]
    assert shown["differences"] == []
    demo.expect_nothing_left()


def test_the_demo_prints_a_table(run: Run) -> None:
    demo = run("demo", "--stage", "prod")
    assert demo.end() == 0, "".join(demo.progress)
    table = demo.output()
    assert table.count("Hello world from Twofold!") == 2
    for heading in ("side", "URL", "status", "body", "digest", "time"):
        assert heading in table
    demo.reach("The stack wants 2 instances; one of them is played here.")


def test_sides_that_differ_fail_the_demo(run: Run, root: Path, tmp_path: Path) -> None:
    folder = copied(root, tmp_path)
    handler = folder / "service" / "handler.py"
    text = handler.read_text()
    assert "PlainTextResponse(GREETING)" in text
    handler.write_text(
        text.replace("PlainTextResponse(GREETING)", "PlainTextResponse(current().mode)")
    )
    demo = run("demo", folder=folder)
    assert demo.end() == 6, "".join(demo.progress)
    said = "twofold: error: The sides differ on /: lambda: 200 'lambda'; instance: 200 'instance'."
    demo.reach(said)
    demo.expect_nothing_left()


@pytest.mark.parametrize(
    "line",
    [
        "Building the artifact",
        "Starting the embedded AWS ...",
        "Creating stack",
        "Starting both runtimes",
        "Asking both sides",
    ],
)
def test_ctrl_c_leaves_nothing_whenever_it_comes(run: Run, line: str) -> None:
    demo = run("demo")
    demo.reach(line)
    assert demo.end(signal.SIGINT) == 130, "".join(demo.progress)
    demo.expect_nothing_left()
    assert not any("Traceback" in seen for seen in demo.progress)


def test_sigterm_leaves_nothing(run: Run) -> None:
    demo = run("demo")
    demo.reach("Starting both runtimes")
    assert demo.end(signal.SIGTERM) == 130
    demo.expect_nothing_left()


def test_being_killed_leaves_nothing(run: Run) -> None:
    demo = run("demo")
    demo.reach("Asking both sides")
    assert demo.end(signal.SIGKILL) == -signal.SIGKILL
    demo.expect_nothing_left()


@pytest.fixture
def up(run: Run, project: Path, eventually: Eventually) -> Program:
    program = run("up", "--port", str(free_port()))
    program.reach("Starting both runtimes from the uploaded artifact: done")
    eventually(record(project).exists)
    return program


def test_up_answers_on_both_sides_until_ctrl_c(up: Program, project: Path) -> None:
    cloud = json.loads(record(project).read_text())
    for url in (cloud["function_url"], cloud["instance_url"]):
        assert get(url) == "Hello world from Twofold!"
    up.reach("REPORT RequestId")
    assert up.end(signal.SIGINT) == 0
    assert cloud["function_url"] in up.output()
    assert not record(project).exists()
    up.expect_nothing_left()


def test_other_commands_reach_it(up: Program, run: Run, project: Path) -> None:
    direct = run("invoke", "--local", "--json")
    assert direct.end() == 0
    assert "Hello world from Twofold!" in direct.output()
    status = run("status", "--local", "--json")
    assert status.end() == 0
    assert json.loads(status.output())["drift"] == []


def test_a_second_up_is_refused(up: Program, run: Run) -> None:
    second = run("up", "--port", str(free_port()))
    assert second.end() == 6
    second.reach("twofold: error: A cloud is played in this project already")


def test_what_is_provisioned_meanwhile_is_what_the_function_runs(
    run: Run, root: Path, tmp_path: Path, eventually: Eventually
) -> None:
    folder = copied(root, tmp_path)
    up = run("up", "--port", str(free_port()), folder=folder)
    up.reach("Starting both runtimes from the uploaded artifact: done")
    eventually(record(folder).exists)
    url = json.loads(record(folder).read_text())["function_url"]
    assert get(url) == "Hello world from Twofold!"
    handler = folder / "service" / "handler.py"
    handler.write_text(handler.read_text().replace("Hello world", "Goodbye"))
    provision = run("provision", "--local", folder=folder)
    assert provision.end() == 0, "".join(provision.progress)
    up.reach("The function now runs")
    assert get(url) == "Goodbye from Twofold!"


def test_a_supervisord_that_ends_is_told(up: Program, processes_of: Processes) -> None:
    pids = [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if _is_supervisord_of(entry, up.scratch)
    ]
    assert len(pids) == 1
    os.kill(pids[0], signal.SIGTERM)
    up.reach("supervisord ended with status 0; its side answers no more.")
    assert up.end(signal.SIGTERM) == 0
    up.expect_nothing_left()


def _is_supervisord_of(entry: Path, scratch: Path) -> bool:
    try:
        arguments = (entry / "cmdline").read_text()
    except OSError:
        return False
    return "supervisor.supervisord" in arguments and str(scratch) in arguments


def test_one_port_for_both_sides_is_refused_at_once(run: Run) -> None:
    program = run("up", "--port", "19996", "--function-port", "19996")
    assert program.end() == 2
    program.reach(
        "twofold: error: The instance and the function cannot both have port 19996. "
        "Pass another --port or --function-port."
    )
    assert len(program.progress) == 1


def test_a_port_in_use_is_said_before_anything_is_started(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = run("up", "--port", str(port))
        assert program.end() == 6
    program.reach(
        f"twofold: error: Port {port} on 127.0.0.1 is in use. "
        "Stop what uses it or pass --port with another."
    )
    assert not any("Building" in line for line in program.progress)
    program.expect_nothing_left()


def test_another_python_than_twofolds_own_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "3.12" if sys.version_info[:2] != (3, 12) else "3.13"
    monkeypatch.setenv("TWOFOLD_PYTHON", other)
    program = run("demo")
    assert program.end() == 6
    program.reach(f"The settings say Python {other}, but twofold runs under 3.")
    program.expect_nothing_left()


def worked(up: Program) -> list[tuple[str, dict[str, Any]]]:
    """Which side logged that it worked on a record, and the record."""
    lines = [line.split(" | ", 1) for line in up.progress if '"worked"' in line]
    return [(side.strip(), json.loads(line)["record"]) for side, line in lines]


def test_a_message_is_worked_off_by_the_side_that_the_topology_names(
    run: Run, root: Path, tmp_path: Path, eventually: Eventually
) -> None:
    folder = copied(root, tmp_path)
    add_queues(folder)
    up = run("up", "--port", "0", "--json", folder=folder)
    up.eventually(lambda: record(folder).exists() or up.process.poll() is not None, SECONDS)
    assert up.process.poll() is None, "".join(up.progress)
    for name, body in (("quick", '"one"'), ("quick", '"poison"'), ("slow", '"two"')):
        sent = run("invoke", "--local", "--queue", name, body, "--json", folder=folder)
        assert sent.end() == 0, "".join(sent.progress)
    eventually(lambda: len(worked(up)) >= 3, SECONDS)
    done = {(side, json.loads(seen["body"])) for side, seen in worked(up)}
    assert done == {("lambda", "one"), ("lambda", "poison"), ("instance", "two")}
    for _, seen in worked(up):
        assert set(seen) == {
            "messageId",
            "receiptHandle",
            "body",
            "attributes",
            "messageAttributes",
            "md5OfBody",
            "eventSource",
            "eventSourceARN",
            "awsRegion",
        }
    # It failed, so it shows up again.
    eventually(lambda: len(worked(up)) >= 4, SECONDS)
    assert worked(up)[-1][1]["attributes"]["ApproximateReceiveCount"] == "2"
    assert up.end(signal.SIGINT) == 0, "".join(up.progress)
    up.expect_nothing_left()
