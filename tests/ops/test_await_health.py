"""await_health.py: which process answers, when several accept from one socket."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

AWAIT = Path(__file__).parents[2] / "ops/instance/await_health.py"
SERVER = """
import json, socket, sys
listener = socket.socket(fileno=0)
body = json.dumps({"digest": sys.argv[1]}).encode()
for _ in range(int(sys.argv[3])):
    connection, _ = listener.accept()
    if connection.recv(65536):
        head = f"HTTP/1.1 {sys.argv[2]}\\r\\nContent-Length: {len(body)}\\r\\n"
        connection.sendall(head.encode() + b"Connection: close\\r\\n\\r\\n" + body)
    connection.close()
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


@contextmanager
def worker(
    listener: socket.socket, digest: str, status: str = "200 OK", answers: str = "1000000"
) -> Iterator[int]:
    command = [sys.executable, "-c", SERVER, digest, status, answers]
    with subprocess.Popen(command, stdin=listener.fileno()) as run:
        try:
            yield run.pid
        finally:
            run.kill()


def wait(
    listener: socket.socket, pid: int, digest: str, seconds: str, *more: str
) -> subprocess.CompletedProcess[str]:
    port = str(listener.getsockname()[1])
    asked = ["--host", "127.0.0.1", "--port", port, "--digest", digest, "--seconds", seconds]
    return subprocess.run(
        [sys.executable, "-I", AWAIT, *asked, "--pid", str(pid), *more],
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_of_two_processes_behind_one_socket_is_told_apart(listener: socket.socket) -> None:
    with worker(listener, "old") as old, worker(listener, "new") as new:
        assert wait(listener, new, "new", "60").returncode == 0
        assert wait(listener, old, "old", "60").returncode == 0


def test_the_other_processs_answer_does_not_count(listener: socket.socket) -> None:
    with worker(listener, "new"), worker(listener, "old") as old:
        ran = wait(listener, old, "new", "5")
    assert ran.returncode == 1
    assert ran.stdout == "/healthz answered digest old, expected new\n"


def test_an_error_status_is_told_with_its_body(listener: socket.socket) -> None:
    with worker(listener, "new", "503 Service Unavailable") as pid:
        ran = wait(listener, pid, "new", "5")
    assert (ran.returncode, ran.stdout) == (1, '/healthz answered 503: {"digest": "new"}\n')


def test_a_process_that_is_gone_ends_the_wait_at_once(listener: socket.socket) -> None:
    with worker(listener, "new") as pid:
        pass
    ran = wait(listener, pid, "new", "600")
    assert (ran.returncode, ran.stdout) == (1, f"process {pid} is gone\n")


def test_a_process_that_stays_is_asked_once_more(listener: socket.socket) -> None:
    with worker(listener, "new") as pid:
        assert wait(listener, pid, "new", "60", "--stay", "0.2").returncode == 0


def test_a_process_that_answers_and_then_ends_does_not_stay(listener: socket.socket) -> None:
    with worker(listener, "new", answers="1") as pid:
        ran = wait(listener, pid, "new", "60", "--stay", "60")
    assert ran.returncode == 1
    assert ran.stdout == f"process {pid} is gone after it had answered\n"
