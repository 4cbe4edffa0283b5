"""`twofold parity` and `twofold up --record` as a user runs them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.deploy.local.programs import Eventually, Program, Run, copied, record
from tests.ports import free_port

# What a handler must not do: to answer by where it runs.
TREACHEROUS = """
from starlette.responses import Response

async def by_mode(request):
    return JSONResponse({"same": 1, "ran": {"on": current().mode}})

async def by_order(_request):
    names = ["a", "b"] if current().mode == "lambda" else ["b", "a"]
    response = Response(b"x", media_type="text/plain")
    for name in names:
        response.set_cookie(name, "1")
    return response

async def counts(request):
    return JSONResponse({"body": len(await request.body()), "query": request.url.query})

app.routes.extend(
    [
        Route("/mode", by_mode, methods=["GET", "POST"]),
        Route("/order", by_order),
        Route("/counts", counts, methods=["PUT", "GET"]),
    ]
)
"""


@pytest.fixture(scope="module")
def treacherous(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied(root, tmp_path_factory.mktemp("treacherous"))
    handler = folder / "service" / "handler.py"
    handler.write_text(handler.read_text() + TREACHEROUS)
    return folder


def lines(folder: Path, text: str) -> str:
    path = folder / "requests.txt"
    path.write_text(text)
    return str(path)


def document(program: Program, code: int = 0) -> Any:
    assert program.end() == code, "".join(program.progress)
    return json.loads(program.output())


def test_without_files_the_services_own_routes_are_asked(run: Run) -> None:
    parity = run("parity", "--local", "--json")
    found = document(parity)
    assert [(one["target"], one["verdict"]) for one in found["comparisons"]] == [
        ("/", "equal"),
        ("/healthz", "known"),
    ]
    (mode,) = found["comparisons"][1]["differences"]
    assert (mode["what"], mode["lambda"], mode["instance"]) == (
        "body /mode",
        '"lambda"',
        '"instance"',
    )
    parity.expect_nothing_left()


def test_sides_that_differ_are_shown_and_told_by_the_exit_code(
    run: Run, treacherous: Path, tmp_path: Path
) -> None:
    junit = tmp_path / "parity.xml"
    file = lines(
        tmp_path,
        "curl /\ncurl -d x /mode\ncurl /order\ncurl -X PUT '/counts?a=%2F&a' --data-raw $'\\xff'\n",
    )
    parity = run("parity", file, "--local", "--junit", str(junit), folder=treacherous)
    assert parity.end() == 1, "".join(parity.progress)
    shown = parity.output()
    assert f"POST /mode ({file}:2)" in shown
    assert "unknown  body /ran/on" in shown
    assert f"GET /order ({file}:3)" in shown
    assert "unknown  cookies" in shown
    assert shown.endswith(
        "4 requests compared: 2 equal, 0 with known differences only, 2 with unknown ones.\n"
    )
    suite = ElementTree.fromstring(junit.read_bytes())
    assert suite.attrib == {"tests": "4", "failures": "2", "errors": "0"}
    parity.expect_nothing_left()


def test_what_the_user_leaves_out_does_not_count(
    run: Run, treacherous: Path, tmp_path: Path
) -> None:
    file = lines(tmp_path, "curl /mode\ncurl /order\n")
    ignoring = ("--ignore-body", "/ran", "--ignore-header", "Set-Cookie")
    parity = run("parity", file, "--local", *ignoring, "--repeat", "2", folder=treacherous)
    assert parity.end() == 0, "".join(parity.progress)
    assert parity.output().startswith("4 requests compared: 4 equal, ")


def test_all_that_is_wrong_is_said_before_anything_is_started(run: Run, tmp_path: Path) -> None:
    file = lines(tmp_path, "curl -T x /\nwget /\n")
    parity = run("parity", file, "--local")
    assert parity.end() == 2
    parity.reach(f"twofold: error: {file}:1: curl's -T is not understood here; ")
    parity.reach(f"{file}:2: 'wget' is no request; expected a line like: curl /healthz.")
    assert len(parity.progress) == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ("--ignore-body", "id"),
            "--ignore-body is 'id'; expected a JSON Pointer such as /items/*/id.",
        ),
        (
            ("--junit", "nowhere/x.xml"),
            "Cannot write nowhere/x.xml: No such file or directory. Pass another --junit.",
        ),
        (("--junit", "-"), "--junit is '-'; expected the name of a file."),
        (
            ("--junit", "pyproject.toml"),
            "pyproject.toml is no JUnit report, and only such a one is overwritten. "
            "Pass another --junit.",
        ),
        (
            ("--ignore-header", "a:b"),
            "--ignore-header is 'a:b'; expected a header's name such as etag.",
        ),
        (
            ("--ignore-header", ""),
            "--ignore-header is ''; expected a header's name such as etag.",
        ),
        (
            ("--ignore-body", "/a~2"),
            "--ignore-body is '/a~2'; expected a JSON Pointer such as /items/*/id.",
        ),
    ],
)
def test_a_wrong_flag_is_said_before_anything_is_started(
    run: Run, flags: tuple[str, ...], said: str
) -> None:
    parity = run("parity", "--local", *flags)
    assert parity.end() == 2
    assert parity.progress == [f"twofold: error: {said}\n"]


def test_a_report_that_does_not_fit_on_the_disk_is_an_error_below_what_was_found(
    run: Run, tmp_path: Path
) -> None:
    parity = run("parity", lines(tmp_path, "curl /\n"), "--local", "--junit", "/dev/full")
    assert parity.end() == 2
    assert parity.output().startswith("1 request compared: 1 equal, ")
    parity.reach(
        "twofold: error: Cannot write /dev/full: No space left on device. Pass another --junit."
    )
    parity.expect_nothing_left()


def test_requests_to_another_host_are_not_sent(run: Run, tmp_path: Path) -> None:
    file = lines(tmp_path, "curl https://h.example/\ncurl https://cdn.example/x.js\ncurl /\n")
    refused = run("parity", file, "--local")
    assert refused.end() == 2
    refused.reach("twofold: error: The requests name 2 hosts: h.example (1), cdn.example (1). ")
    parity = run("parity", file, "--local", "--host", "h.example", "--json")
    assert [one["target"] for one in document(parity)["comparisons"]] == ["/", "/"]
    parity.reach("1 of 3 requests name other hosts and are left out.")


def test_ctrl_c_shows_what_was_compared_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    file = lines(tmp_path, "curl /\n")
    junit = tmp_path / "parity.xml"
    parity = run("parity", file, "--local", "--repeat", "1000000", "--junit", str(junit))
    parity.reach(" of 1000000 asked")
    assert parity.end(signal.SIGINT) == 130
    assert " of 1000000 requests compared: " in parity.output()
    assert not any("Traceback" in seen for seen in parity.progress)
    assert ElementTree.fromstring(junit.read_bytes()).get("errors") == "1"
    parity.expect_nothing_left()


def test_a_report_is_kept_also_when_nothing_can_be_shown(run: Run, tmp_path: Path) -> None:
    junit = tmp_path / "parity.xml"
    with Path("/dev/full").open("wb") as full:
        parity = run("parity", "--local", "--junit", str(junit), "--json", stdout=full)
    assert parity.end() == 6
    parity.reach(f"The JUnit report is in {junit}.")
    parity.reach("twofold: error: Cannot write: No space left on device. ")
    assert not any("Traceback" in seen for seen in parity.progress)
    assert ElementTree.fromstring(junit.read_bytes()).get("tests") == "2"
    parity.expect_nothing_left()


def test_a_reader_that_went_away_is_no_difference(run: Run) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    parity = run("parity", "--local", stdout=writer)
    os.close(writer)
    assert parity.end() == 141
    parity.expect_nothing_left()


@pytest.fixture
def recording(run: Run, treacherous: Path, tmp_path: Path, eventually: Eventually) -> Program:
    """`twofold up` that records in tmp_path/r.txt."""
    file = str(tmp_path / "r.txt")
    ports = ("--port", str(free_port()), "--function-port", str(free_port()))
    program = run("up", *ports, "--record", file, "--json", folder=treacherous)
    program.reach(
        f"Requests to both sides are recorded in {file}, with all headers and bodies: "
        "it may hold secrets, and only you may read it."
    )
    program.reach("Starting both runtimes from the uploaded artifact: done")
    eventually(record(treacherous).exists)
    return program


def ask(url: str, method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=60)
    connection.request(method, target, body or None, headers)
    content = connection.getresponse().read()
    connection.close()
    return content


def told(program: Program) -> dict[str, str]:
    """What `up --json` printed, up to the end of the document."""
    assert program.process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        text += program.process.stdout.readline()
    return dict(json.loads(text))


def test_what_is_recorded_is_replayed(
    recording: Program, run: Run, treacherous: Path, tmp_path: Path
) -> None:
    up = told(recording)
    body = bytes(range(256))
    put = ask(up["function_url"], "PUT", "/counts?a=%2F&a", body, X="1")
    assert json.loads(put) == {"body": 256, "query": "a=%2F&a"}
    assert json.loads(ask(up["instance_url"], "GET", "/counts?b"))["query"] == "b"

    file = str(tmp_path / "r.txt")
    found = document(run("parity", file, "--local", "--json", folder=treacherous))
    asked = [(one["method"], one["target"], one["verdict"]) for one in found["comparisons"]]
    assert asked == [("PUT", "/counts?a=%2F&a", "equal"), ("GET", "/counts?b", "equal")]

    assert recording.end(signal.SIGINT) == 0
    # Parity's own questions are not recorded again.
    recording.reach(f"Recorded 2 requests in {file}. Replay with: twofold parity --local {file}")
    recording.expect_nothing_left()


def test_a_recording_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    file = lines(tmp_path, "mine")
    up = run("up", "--record", file, "--port", str(free_port()))
    assert up.end() == 2
    assert up.progress == [
        f"twofold: error: {file} exists already. Pass another --record, or delete it first.\n"
    ]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ("--guests", "--record", "r.txt"),
            "--record stands before the one instance that supervisord plays; guests "
            "are asked at addresses of their own. Leave --record or --guests out.",
        ),
        (("--record", ""), "--record is ''; expected the name of a file."),
    ],
)
def test_what_cannot_be_recorded_is_said_before_anything_is_started(
    flags: tuple[str, ...], said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy", "up", *flags], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, f"twofold: error: {said}\n")
