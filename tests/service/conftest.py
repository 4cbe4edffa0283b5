"""Adapters, log lines and server processes that are gone after each test."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.runtime import logs
from service.runtime.adapter import LambdaAdapter
from service.settings import Settings
from tests.ports import free_port

if TYPE_CHECKING:
    from tests.service.queues import Queues, Workers

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60.0  # seconds that anything here may take


@dataclass
class Log:
    """What a process logged, line by line."""

    stream: io.StringIO = field(default_factory=io.StringIO)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["logger"] == logger]


@pytest.fixture
def log() -> Iterator[Log]:
    """Logging as in Lambda mode, at level DEBUG, into memory."""
    written = Log()
    root = logging.getLogger()
    loop = logging.getLogger("asyncio")  # names its selector at DEBUG, once for each loop
    before = list(root.handlers), root.level, loop.level
    logs.configure(Settings(mode="lambda", log_level="DEBUG"), written.stream)
    loop.setLevel("INFO")
    yield written
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    loop.setLevel(before[2])


@pytest.fixture
def adapted(log: Log) -> Iterator[Callable[..., LambdaAdapter]]:
    """Makes adapters, and shuts them down."""
    made: list[LambdaAdapter] = []

    def adapt(app: Any, events: Any = None) -> LambdaAdapter:
        made.append(LambdaAdapter(app, events, settings=Settings(mode="lambda"), log=log.stream))
        return made[-1]

    yield adapt
    for adapter in made:
        adapter.close()


@dataclass
class Server:
    """A running `python -m service http-server`; what it prints goes to a file."""

    process: subprocess.Popen[bytes]
    port: int
    printed: Path

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def await_line(self, text: str) -> None:
        """Returns once the server has printed `text`."""

        def shown() -> bool:
            assert self.process.poll() is None, self.printed.read_text()
            return text in self.printed.read_text()

        until(shown)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code and all that was printed."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        return self.process.wait(timeout=PATIENCE), self.printed.read_text()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts HTTP servers, of the given handler module or of the one shipped, and kills them."""
    running: list[Server] = []

    def start(handler: str | None = None, *, stdin: Any = None, **environ: str) -> Server:
        folder = service_folder(tmp_path, handler) if handler else ROOT
        port = _port(stdin) if isinstance(stdin, socket.socket) else free_port()
        printed = tmp_path / f"server-{len(running)}.log"
        with printed.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "service", "http-server"],
                cwd=folder,
                env={**environment(), "SERVICE_PORT": str(port), **environ},
                stdin=stdin if stdin is not None else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        running.append(Server(process, port, printed))
        running[-1].await_line("Application startup complete")
        return running[-1]

    yield start
    for server in running:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="session")
def queues() -> Iterator[Queues]:
    """The queues of an embedded AWS, which is gone afterwards."""
    from tests.service.queues import embedded  # boto3 is slow to import

    with embedded() as found:
        yield found


@pytest.fixture
def workers(tmp_path: Path, queues: Queues) -> Iterator[Callable[[str], Workers]]:
    """Starts workers with the given handler module, and kills them."""
    from tests.service.queues import Workers

    with contextlib.ExitStack() as stack:

        def on(handler: str) -> Workers:
            opened = Workers(service_folder(tmp_path, handler), queues.endpoint)
            stack.callback(opened.close)
            return opened

        yield on


def environment() -> dict[str, str]:
    """This process's environment, without what tells a service anything."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SERVICE_", "AWS_", "COV_"))
    }


def service_folder(folder: Path, handler: str) -> Path:
    """A folder whose `service` is ours with another handler module."""
    (folder / "service").mkdir()
    for part in (ROOT / "service").iterdir():
        if part.name not in ("handler.py", "__pycache__"):
            (folder / "service" / part.name).symlink_to(part)
    (folder / "service" / "handler.py").write_text(handler)
    return folder


def until(condition: Callable[[], bool]) -> None:
    """Polls, with a bound."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def _port(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])
