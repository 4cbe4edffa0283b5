"""The instance's side: the real HTTP server, asked byte by byte over a socket."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.front_ends.message import HttpRequest
from tests.parity.case import Answer, wire
from tests.parity.incoming import Incoming
from tests.ports import free_port
from tests.service.conftest import PATIENCE, Server, environment

_BODILESS = (204, 304)
NOTHING = Answer(0, cut=True)  # the connection ended without an answer


class Instance(Incoming):
    """A running server; one connection is kept for many requests."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._connection: socket.socket | None = None

    def ask(self, request: HttpRequest) -> Answer:
        """The answer, exactly as it came.

        Raises:
            AssertionError: bytes follow that belong to no answer.
        """
        kept = self._connection is not None
        answer = self._asked(request)
        if kept and answer == NOTHING:  # closed after the answer before, or because of this one
            self.disconnect()
            answer = self._asked(request)
        if answer.cut or _closes(answer):
            self.disconnect()
        assert self._received == b"", f"{self._received[:100]!r} came after the answer"
        return answer

    def ask_raw(self, sent: bytes) -> Answer:
        """The answer to bytes of one's own, over a connection of their own."""
        self.disconnect()
        self._send(sent)
        answer = self._answer("GET")
        self.disconnect()
        return answer

    def hang_up(self, sent: bytes) -> None:
        """Bytes are sent, and the connection ends."""
        self.disconnect()
        self._send(sent)
        self.disconnect()

    def disconnect(self) -> None:
        """The next request goes over a new connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._received = None, b""

    def _send(self, sent: bytes) -> None:
        if self._connection is None:
            self._connection = self._server.connect()
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.sendall(sent)

    def _asked(self, request: HttpRequest) -> Answer:
        try:
            self._send(wire(request))
            return self._answer(request.method)
        except ConnectionError:
            return NOTHING

    def _answer(self, method: str) -> Answer:
        head = self._until(b"\r\n\r\n")
        status, headers = _parsed(head)
        if method == "HEAD" or status in _BODILESS:
            return Answer(status, headers)
        try:
            return Answer(status, headers, self._body(dict(headers)))
        except ConnectionError:
            return Answer(status, headers, cut=True)

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self._exactly(int(headers["content-length"]))
        return self._chunks()

    def _receive(self) -> None:
        assert self._connection is not None
        received = self._connection.recv(1 << 18)
        if not received:
            raise ConnectionError
        self._received += received


def _parsed(head: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", maxsplit=1) for line in lines)
    return int(first.split(" ")[1]), tuple((name, value) for name, value in pairs)


def _closes(answer: Answer) -> bool:
    return ("connection", "close") in answer.headers


@contextmanager
def instance(folder: Path, printed: Path, **environ: str) -> Iterator[Instance]:
    """`python -m service http-server` in `folder`; gone afterwards."""
    port = free_port()
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "http-server"],
            cwd=folder,
            env={
                **environment(),
                "SERVICE_PORT": str(port),
                "SERVICE_LOG_LEVEL": "INFO",
                **environ,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, port, printed)
    running = Instance(server)
    try:
        server.await_line("Application startup complete")
        yield running
    finally:
        running.disconnect()
        process.kill()
        process.wait(timeout=PATIENCE)
