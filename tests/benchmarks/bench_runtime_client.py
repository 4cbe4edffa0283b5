"""Requests per second under AWS's own runtime client, one function at a time."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import IO

from tests.benchmarks.calls import (
    BARE,
    GREETING,
    KINDS,
    LINED,
    OFF,
    OURS,
    POWERTOOLS,
    POWERTOOLS_LINED,
    STOCK,
    event,
)
from tests.benchmarks.report import Row, at_least

TITLE = "Adapter under awslambdaric: requests per second"
ROOT = Path(__file__).parent.parent.parent
OTHERS = (BARE, POWERTOOLS, POWERTOOLS_LINED, STOCK, OFF)
NAMES = (*OTHERS, OURS, LINED)
_PATIENCE = 20.0  # seconds for one answer


def measure(rounds: int = 15, events: int = 200) -> list[Row]:
    """Medians over alternating rounds; log lines, where there are some, go to /dev/null."""
    return [row for kind in KINDS for row in _rows(kind, rounds, events)]


def _rows(kind: str, rounds: int, events: int) -> Iterator[Row]:
    rates: dict[str, list[float]] = {name: [] for name in NAMES}
    with ExitStack() as stack:
        running = {name: stack.enter_context(_function(name, kind)) for name in NAMES}
        for name in NAMES:
            running[name].rate(kind, events // 10)  # warm
        for _ in range(rounds):
            for name in NAMES:
                rates[name].append(running[name].rate(kind, events))

    for name in OTHERS:
        yield Row(f"{kind}: {name}", median(rates[name]), "1/s")
    for name, other, target in (
        (OURS, STOCK, at_least(1.0)),
        (OURS, POWERTOOLS, None),
        (OURS, BARE, None),
        (LINED, POWERTOOLS_LINED, None),
    ):
        ratio = median(a / b for a, b in zip(rates[name], rates[other], strict=True))
        yield Row(f"{kind}: {name}", median(rates[name]), "1/s", ratio, target, f"of {other}")


class _Runtime:
    """A Lambda Runtime API that answers from memory, for one process on one connection."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._stream: IO[bytes] | None = None

    def rate(self, kind: str, events: int) -> float:
        """Events a second; the last reply is looked at."""
        asked = _response(200, json.dumps(event(kind)).encode())
        answer = b""
        started = time.perf_counter()
        for _ in range(events):
            self._request()  # for the next event
            self._send(asked)
            answer = self._request()
            self._send(_response(202, b"{}"))
        spent = time.perf_counter() - started
        assert json.loads(answer)["body"] == GREETING, answer
        return events / spent

    def _request(self) -> bytes:
        """The body of the next request, on the connection or on a new one."""
        while self._stream is None or not self._stream.readline():
            self._accept()
        stream, length, chunked = self._stream, 0, False
        while (line := stream.readline().strip().lower()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name == b"content-length" else length
            chunked = chunked or name == b"transfer-encoding"
        return _chunks(stream) if chunked else stream.read(length)

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            connection.settimeout(_PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.close()
            self._stream = connection.makefile("rwb")  # type: ignore[assignment]  # which keeps the connection

    def _send(self, response: bytes) -> None:
        assert self._stream is not None
        self._stream.write(response)
        self._stream.flush()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


def _chunks(stream: IO[bytes]) -> bytes:
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def _response(status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nLambda-Runtime-Aws-Request-Id: req-1\r\n"
        "Lambda-Runtime-Deadline-Ms: 99999999999999\r\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:x:1:function:hello\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def _function(name: str, kind: str) -> Iterator[_Runtime]:
    """One function under awslambdaric; gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(_PATIENCE)
        process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", "tests.benchmarks.calls.lambda_handler"],
            cwd=ROOT,
            env=_environment(name, kind, listening.getsockname()[1]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        runtime = _Runtime(listening)
        try:
            yield runtime
        finally:
            process.kill()
            process.wait()
            runtime.close()


def _environment(name: str, kind: str, port: int) -> Mapping[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": "hello",
        "LAMBDA_TASK_ROOT": str(ROOT),
        "CALLS_NAME": name,
        "CALLS_KIND": kind,
    }
