"""AWS's own runtime client, run on a folder, and the answers that it gives.

A Lambda Runtime API just large enough for one process: "Using the Lambda runtime API for
custom runtimes" in the AWS Lambda Developer Guide, version 2018-06-01.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds for one answer
VERSION = "/2018-06-01/runtime"
HANDLER = "service.lambda_function.lambda_handler"


@dataclass(frozen=True)
class Answer:
    """What came back, and where: `response`, `error` or `init/error`."""

    kind: str
    payload: Any
    request_id: str = ""


@dataclass
class Function:
    """A running function; events go in one at a time."""

    process: subprocess.Popen[bytes]
    printed: Path
    events: queue.Queue[tuple[str, Any]]
    answers: queue.Queue[Answer]
    started: float  # of time.perf_counter, just before the process

    def invoke(self, event: Any, request_id: str = "req-1") -> Answer:
        self.events.put((request_id, event))
        return self.answers.get(timeout=PATIENCE)

    @property
    def lines(self) -> list[str]:
        return self.printed.read_text().splitlines()


@contextmanager
def function(
    folder: Path,
    printed: Path,
    environ: Mapping[str, str],
    handler: str = HANDLER,
    python: str = sys.executable,
    *,
    seconds: float = 60.0,
) -> Iterator[Function]:
    """The function in `folder` under awslambdaric, with so many seconds for each event; gone
    afterwards."""
    events: queue.Queue[tuple[str, Any]] = queue.Queue()
    answers: queue.Queue[Answer] = queue.Queue()
    with _listening(events, answers, seconds) as address, printed.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [python, "-m", "awslambdaric", handler],
            cwd=folder,
            env={
                **environ,
                "AWS_LAMBDA_RUNTIME_API": address,
                "AWS_LAMBDA_FUNCTION_NAME": "hello",
                "LAMBDA_TASK_ROOT": str(folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Function(process, printed, events, answers, started)
        finally:
            process.kill()
            process.wait()


@contextmanager
def _listening(
    events: queue.Queue[tuple[str, Any]], answers: queue.Queue[Answer], seconds: float
) -> Iterator[str]:
    class Api(_Api):
        given, taken = events, answers
        milliseconds = int(seconds * 1000)

    with _Server(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            events.put(("", None))  # lets go of the thread that waits for an event
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """A function that is killed resets its connection: nothing to tell."""


class _Api(BaseHTTPRequestHandler):
    given: queue.Queue[tuple[str, Any]]
    taken: queue.Queue[Answer]
    milliseconds: int
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: 40 ms between them

    def do_GET(self) -> None:
        request_id, event = self.given.get()
        if not request_id:
            self.close_connection = True
            return
        self._reply(
            200,
            json.dumps(event).encode(),
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + self.milliseconds),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:x:1:function:hello",
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        self._reply(202, b"{}", {})
        parts = self.path.removeprefix(VERSION).strip("/").split("/")
        if parts[0] == "init":
            self.taken.put(Answer("init/error", json.loads(body)))
        else:
            self.taken.put(Answer(parts[2], json.loads(body), parts[1]))

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Silent."""
