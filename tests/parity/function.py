"""Lambda's side: the function under AWS's runtime client, invoked from the caller's own thread.

As tests/service/runtime_api.py, but without a thread and a queue between the caller and the
runtime client, which asks for one event after the other anyway: several times as fast.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parity.incoming import Incoming
from tests.service.conftest import PATIENCE, environment
from tests.service.runtime_api import HANDLER

RESPONSE_LIMIT = 6_291_556  # as Lambda counts: deploy/local/runtime_api.py
_TIMEVAL = struct.pack("ll", int(PATIENCE), 0)
_OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(frozen=True)
class Invoked:
    """What the runtime client gave back; `error` for an invocation that failed."""

    payload: bytes
    error: bool = False


class Function(Incoming):
    """A running function and the Runtime API that it asks, one event at a time."""

    def __init__(self, process: subprocess.Popen[bytes], listener: socket.socket) -> None:
        super().__init__()
        self.process = process
        self._listener = listener
        self._connection: socket.socket | None = None
        self._number = 0

    def invoke(self, payload: bytes) -> Invoked:
        """The result of one invocation.

        Raises:
            AssertionError: the process ended, or gives no answer.
        """
        line, _ = self._request()
        assert line.startswith("GET "), line
        self._number += 1
        self._reply(self._event_head(len(payload)) + payload)
        line, body = self._request()
        self._reply(_OK)
        failed = not line.split(" ")[1].endswith("/response")
        return Invoked(body, failed or len(body) > RESPONSE_LIMIT)

    def close(self) -> None:
        """Lets go of the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _event_head(self, length: int) -> bytes:
        deadline = int(time.time() * 1000) + 60_000
        return (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: request-{self._number}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {deadline}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:x:1:function:hello\r\n"
            f"Content-Length: {length}\r\n\r\n"
        ).encode()

    def _reply(self, content: bytes) -> None:
        assert self._connection is not None
        self._connection.sendall(content)

    def _request(self) -> tuple[str, bytes]:
        head = self._until(b"\r\n\r\n").decode("latin-1")
        line, *lines = head.split("\r\n")
        headers = dict(one.lower().split(": ", maxsplit=1) for one in lines)
        if "expect" in headers:
            self._reply(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in headers.get("transfer-encoding", ""):
            return line, self._chunks()
        return line, self._exactly(int(headers.get("content-length", 0)))

    def _receive(self) -> None:
        """More bytes, over a new connection where the runtime client has ended the one before.

        It blocks in one system call, of which there are two for each invocation.
        """
        while True:
            if self._connection is None:
                self._connection = self._accepted()
            try:
                received = self._connection.recv(1 << 18)
            except BlockingIOError:
                raise AssertionError(f"no answer; exit code {self.process.poll()}") from None
            if received:
                self._received += received
                return
            self.close()

    def _accepted(self) -> socket.socket:
        try:
            connection, _ = self._listener.accept()
        except TimeoutError:
            raise AssertionError(f"no call; exit code {self.process.poll()}") from None
        connection.setblocking(True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL)
        return connection


@contextmanager
def function(folder: Path, printed: Path, **environ: str) -> Iterator[Function]:
    """The function in `folder` under awslambdaric; gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listener, printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", HANDLER],
            cwd=folder,
            env={
                **environment(),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}",
                "AWS_LAMBDA_FUNCTION_NAME": "hello",
                "AWS_EXECUTION_ENV": f"AWS_Lambda_python3.{sys.version_info.minor}",
                "LAMBDA_TASK_ROOT": str(folder),
                "SERVICE_LOG_LEVEL": "WARNING",
                **environ,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        listener.settimeout(PATIENCE)
        running = Function(process, listener)
        try:
            yield running
        finally:
            running.close()
            process.kill()
            process.wait(timeout=PATIENCE)
