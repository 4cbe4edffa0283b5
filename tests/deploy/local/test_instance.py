"""The EC2 side under real supervisord: up, wrong, and gone again."""

import json
import socket
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.errors import LocalError
from deploy.local import instance
from deploy.local.instance import Instance, failures
from deploy.local.workspace import Workspace

Processes = Callable[[Path], list[str]]
Eventually = Callable[..., None]
Start = Callable[[str], Instance]

DIGEST = "a" * 64

# Stands for the service: takes its socket from descriptor 0, answers /healthz.
SERVICE = """
import http.server, json, os, socket, sys
if sys.argv[1] == "worker":
    sys.exit()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({**os.environ, "digest": os.environ["SERVICE_DIGEST"]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer(("", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=0)
server.serve_forever()
"""


OPS_FILES = (
    "instance/serve.sh",
    "supervisor/supervisord.conf",
    "supervisor/service.conf",
    "supervisor/worker.conf",
)


@pytest.fixture
def start(workspace: Workspace, root: Path) -> Iterator[Start]:
    """Starts a release whose service is one module's text, with the project's own ops files."""
    running: list[Instance] = []

    def begin(service: str) -> Instance:
        installed = instance.layout(workspace.folder).home / "releases" / DIGEST
        (installed / "service").mkdir(parents=True)
        (installed / "service" / "__main__.py").write_text(service)
        for name in OPS_FILES:
            copy = installed / "ops" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((root / "ops" / name).read_bytes())
        port = instance.free_port(0)
        running.append(instance.start(workspace, "tiny", installed, port, "http://embedded"))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


def ask(url: str) -> dict[str, str]:
    with urllib.request.urlopen(url) as answer:
        return dict(json.load(answer))


def test_it_answers_when_waited_for(start: Start) -> None:
    one = start(SERVICE)
    one.wait()
    assert ask(f"{one.url}/healthz")["digest"] == DIGEST


def test_it_knows_nothing_of_the_laptops_environment(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_LAPTOP", "1")
    monkeypatch.setenv("AWS_PROFILE", "production")
    one = start(SERVICE)
    one.wait()
    told = ask(f"{one.url}/healthz")
    assert not {"OF_THE_LAPTOP", "AWS_PROFILE", "VIRTUAL_ENV"} & told.keys()
    assert told["SERVICE_MODE"] == "instance"


def test_nothing_of_it_runs_after_it_was_stopped(
    start: Start, processes_of: Processes, eventually: Eventually
) -> None:
    one = start(SERVICE)
    one.wait()

    def serving() -> list[str]:
        return [line for line in processes_of(one.places.home) if "http-server" in line]

    eventually(lambda: len(serving()) == 2)  # the first one answers, the other may begin
    one.stop()
    assert processes_of(one.places.home) == []


def test_a_service_that_does_not_start_is_reported_with_its_log(start: Start) -> None:
    with pytest.raises(LocalError) as caught:
        start("raise SystemExit('no database')").wait()
    assert str(caught.value).startswith("The service does not start. The end of its log:\n")
    assert "no database" in str(caught.value)


def test_a_supervisord_that_gives_up_is_reported_with_its_log(start: Start) -> None:
    one = start(SERVICE)
    one.wait()
    one.child.ask_to_stop()
    with pytest.raises(LocalError, match=r"(?s)supervisord ended\. The end of its log:\n.*SIGTERM"):
        replace(one, digest="never").wait()


def test_another_release_on_the_port_is_not_mistaken_for_this_one(start: Start) -> None:
    one = start(SERVICE.replace('os.environ["SERVICE_DIGEST"]', '"b" * 64'))
    with pytest.raises(LocalError, match=r"/healthz did not answer for release aaaaaaaaaaaa"):
        one.wait(3.0)


def test_a_service_without_its_health_is_told_what_it_answered(start: Start) -> None:
    one = start(SERVICE.replace("send_response(200)", "send_response(404)").replace("digest", "x"))
    with pytest.raises(LocalError) as caught:
        one.wait(3.0)
    said = str(caught.value)
    assert f"for release {DIGEST[:12]} within 3 s; it last answered 404 " in said
    assert (
        "`app` must answer GET /healthz with current().identity, as in service/handler.py. "
        "The end of its log:\n"
    ) in said


def test_a_port_in_use_is_refused_at_once(workspace: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalError) as caught:
            instance.free_port(port)
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 is in use. Stop what uses it or pass --port with another."
    )


def test_only_workers_that_end_by_themselves_count_as_failures() -> None:
    log = (
        "INFO exited: service_0 (exit status 1; not expected)",
        "INFO stopped: service_1 (exit status 0)",
        "INFO exited: service_1 (terminated by SIGKILL; not expected)",
    )
    assert failures(log) == 2
