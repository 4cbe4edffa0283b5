"""One process under 64 connections: our server against bare uvicorn, and its latency."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from tests.benchmarks.calm import calm_rounds
from tests.benchmarks.report import Row, UnavailableError, at_least, at_most

TITLE = "HTTP: one process, 64 keep-alive connections, wrk"
ROOT = Path(__file__).parent.parent.parent
CONNECTIONS = 64
SAMPLE_SECONDS = 0.5
OURS = (sys.executable, "-m", "service", "http-server")
LATENCY_LIMIT_MS = 2.0
_REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def measure(rounds: int = 15, few: int = 5, seconds: float = 300) -> list[Row]:
    """Requests per second, the median over calm interleaved rounds; then keep-alive latency.

    Raises:
        UnavailableError: wrk is not installed, or the host was too busy for `seconds`.
    """
    if shutil.which("wrk") is None:
        raise UnavailableError("wrk is not installed. Install the Debian package wrk.")
    return [*_throughput(rounds, few, seconds), *_latency()]


def _throughput(rounds: int, few: int, seconds: float) -> list[Row]:
    ways = {way: (sys.executable, "-m", "tests.benchmarks.served", way) for way in _SERVED}
    with ExitStack() as stack:
        ports = {way: stack.enter_context(_given(argv)) for way, argv in ways.items()}
        ports["ours"] = stack.enter_context(_given(OURS))

        def play() -> dict[str, float]:
            return {way: _wrk(port) for way, port in ports.items()}

        play()  # warm
        counted, played = calm_rounds(play, enough=rounds, few=few, seconds=seconds)
    rates = {way: [found[way] for found in counted] for way in ports}

    def ratio(way: str, other: str) -> float:
        return median(a / b for a, b in zip(rates[way], rates[other], strict=True))

    figures = {way: median(found) for way, found in rates.items()}
    unit, of_bare = "requests/s", "of bare uvicorn"
    return [
        Row("rounds that count", len(counted), f"of {played}"),
        Row("bare uvicorn, uvloop and httptools", figures["bare"], unit),
        Row("uvicorn with its access log", figures["access-log"], unit),
        Row(
            "ours, without log",
            figures["without-log"],
            unit,
            ratio("without-log", "bare"),
            at_least(0.95),
            of_bare,
        ),
        Row(
            "ours, request ID and log line",
            figures["ours"],
            unit,
            ratio("ours", "bare"),
            at_least(0.75),
            of_bare,
        ),
        Row(
            "the same",
            figures["ours"],
            unit,
            ratio("ours", "access-log"),
            at_least(1.6),
            "of uvicorn with its access log",
        ),
    ]


_SERVED = ("bare", "access-log", "without-log")


def _latency() -> list[Row]:
    """Each way in which the service is started; the ratio is to the limit."""
    ways = {"a port of its own": _own_port, "descriptor 0, as under supervisord": _given}
    rows = []
    for name, way in ways.items():
        with way(OURS) as port:
            milliseconds = _keep_alive_median(port)
        rows.append(
            Row(
                f"keep-alive median, {name}",
                milliseconds,
                "ms",
                milliseconds / LATENCY_LIMIT_MS,
                at_most(1.0),
                f"of {LATENCY_LIMIT_MS:g} ms",
            )
        )
    return rows


def _keep_alive_median(port: int, requests: int = 500) -> float:
    spent = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(requests):
            started = time.perf_counter()
            connection.sendall(_REQUEST)
            reply = b""
            while not reply.endswith(b"Twofold!"):
                reply += connection.recv(4096)
            spent.append(time.perf_counter() - started)
    return median(spent) * 1000


def _wrk(port: int) -> float:
    """Of half a second, which is less than wrk takes by its flags: it sums up when interrupted."""
    process = subprocess.Popen(
        ["wrk", "-t1", f"-c{CONNECTIONS}", "-d60s", f"http://127.0.0.1:{port}/"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(SAMPLE_SECONDS)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    found = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    if found is None or "Non-2xx" in printed or "Socket errors" in printed:
        raise UnavailableError(f"wrk did not get its answers:\n{printed}")
    return float(found[1])


@contextmanager
def _given(argv: Sequence[str]) -> Iterator[int]:
    """The port of a server that got its listening socket as descriptor 0."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        port = listening.getsockname()[1]
        with _running(argv, port, stdin=listening.fileno()):
            yield port


@contextmanager
def _own_port(argv: Sequence[str]) -> Iterator[int]:
    """The port of a server that binds by itself."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _running([*argv, "--port", str(port)], port, stdin=subprocess.DEVNULL):
        yield port


@contextmanager
def _running(argv: Sequence[str], port: int, stdin: int) -> Iterator[None]:
    with open(os.devnull, "wb") as null:  # noqa: PTH123 - a device, not a path
        process = subprocess.Popen(argv, cwd=ROOT, stdin=stdin, stdout=null, stderr=null)
    try:
        _await_answer(process, port)
        yield
    finally:
        process.kill()
        process.wait()


def _await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 15
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(_REQUEST)
                if connection.recv(1):
                    return
        except OSError:
            time.sleep(0.05)
    raise UnavailableError(f"Port {port} got no server: {process.args!r} did not start.")
