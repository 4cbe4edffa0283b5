"""python -m service: exit codes and messages, as a terminal sees them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import ROOT, environment, service_folder


def ran(*arguments: str, folder: Path = ROOT, **environ: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=folder,
        env=environment() | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_help_names_the_commands_and_loads_no_server() -> None:
    probe = (
        "import sys, runpy\nsys.argv = ['service', '--help']\n"
        "try: runpy.run_module('service', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([n for n in ('uvicorn', 'starlette', 'mangum', 'asyncio') if n in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "http-server" in shown.stdout
    assert shown.stdout.endswith("[]\n")


def test_no_command_is_an_error() -> None:
    code, _, error = ran()
    assert code == 2
    assert error.startswith("python -m service: error: ")


def test_malformed_settings_are_told_all_at_once() -> None:
    code, output, error = ran("http-server", SERVICE_PORT="x", SERVICE_DRAIN_SECONDS="abc")
    assert (code, output) == (2, "")
    assert error == (
        "service: error: SERVICE_PORT is 'x'; expected a port number from 0 to 65535.\n"
        "SERVICE_DRAIN_SECONDS is 'abc'; expected a number of seconds, 0 or more.\n"
    )


def test_a_malformed_flag_is_told() -> None:
    code, _, error = ran("http-server", "--port", "http")
    assert code == 2
    assert "argument --port: 'http'; expected a port number from 0 to 65535" in error


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, error = ran("http-server", "--port", str(port))
    assert code == 1
    assert error == (
        f"service: error: Port {port} on 127.0.0.1 is in use. "
        f"Stop what listens there, or set --port (SERVICE_PORT) to another.\n"
    )


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "a..b"])
def test_a_host_that_is_not_here_is_one_line(host: str) -> None:
    code, _, error = ran("http-server", "--host", host, "--port", "0")
    assert code == 1
    assert error.startswith(f"service: error: Host {host!r} is not an address of this machine (")
    assert error.endswith("Set --host (SERVICE_HOST) to one, such as 127.0.0.1 or 0.0.0.0.\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("handler", "failure", "line"),
    [
        ("import os\nimport not_there\n", "ModuleNotFoundError: No module named 'not_there'", 2),
        ("app = 1 / 0\n", "ZeroDivisionError: division by zero", 1),
        ("x = 1\nthis is no Python\n", "SyntaxError: invalid syntax", 2),
        (
            "from service.runtime.events import EventRouter\nEventRouter().on('')\n",
            "ValueError: The source of an event handler is ''",
            2,
        ),
    ],
)
def test_a_handler_module_that_fails_to_import_is_one_line(
    tmp_path: Path, handler: str, failure: str, line: int
) -> None:
    folder = service_folder(tmp_path, handler)
    code, _, error = ran("http-server", "--port", "0", folder=folder)
    assert code == 1
    assert error.startswith(f"service: error: service.handler cannot be imported: {failure}")
    assert f"{folder / 'service' / 'handler.py'}, line {line})" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("", "service.handler.app is None; expected an ASGI application."),
        ("app = print\nevents = 7\n", "service.handler.events is 7; expected an EventRouter."),
    ],
)
def test_a_handler_module_without_what_is_needed_is_one_line(
    tmp_path: Path, handler: str, message: str
) -> None:
    code, _, error = ran("http-server", folder=service_folder(tmp_path, handler or "# empty\n"))
    assert (code, error) == (1, f"service: error: {message}\n")


def test_an_application_that_fails_to_start_ends_the_server(tmp_path: Path) -> None:
    handler = (
        "from contextlib import asynccontextmanager\n"
        "from starlette.applications import Starlette\n"
        "@asynccontextmanager\n"
        "async def life(app):\n"
        "    raise LookupError('no database')\n"
        "    yield\n"
        "app = Starlette(lifespan=life)\n"
    )
    folder = service_folder(tmp_path, handler)
    code, output, _ = ran("http-server", "--port", "0", folder=folder)
    assert code != 0
    assert "LookupError: no database" in output
