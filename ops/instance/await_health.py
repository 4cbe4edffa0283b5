"""Waits until /healthz answers 200 with the digest wanted, and from the process wanted.

Several workers accept from one socket, so each question takes a connection of its own, the kernel
says which process accepted it (proc(5): /proc/net/tcp, /proc/PID/fd), and the question is repeated
until it is `--pid`. With `--stay` that process must live on for so long and then answer once more.
Exits with 0 then, with 1 and the last answer on standard output when the time is over or the
process is gone.
"""

import argparse
import http.client
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAUSE = 0.05  # seconds between two questions
PATIENCE = 5.0  # seconds for one answer


@dataclass(frozen=True)
class Worker:
    """Where to ask, which digest must answer, and from which process; None for any.

    `ended` says why it cannot answer any more, and nothing while it lives.
    """

    host: str
    port: int
    digest: str
    pid: int | None
    ended: Callable[[], str]


def reachable(host: str) -> str:
    """The address to ask when the service is bound to `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # asked, not bound


def accepted(server_port: int, client_port: int) -> str:
    """The server's end of a connection, as /proc/PID/fd names it; empty until it is accepted."""
    ports = f":{server_port:04X} ", f":{client_port:04X} "  # as in 0100007F:270F 0100007F:D431
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        for line in path.read_text().splitlines() if path.exists() else []:
            if ports[0] not in line or ports[1] not in line:  # most, on a busy instance
                continue
            columns = line.split()
            if columns[1].endswith(ports[0].strip()) and columns[2].endswith(ports[1].strip()):
                return "" if columns[9] == "0" else f"socket:[{columns[9]}]"
    return ""


def holds(pid: int, socket: str) -> bool:
    """Whether the process has the socket open."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if str(descriptor.readlink()) == socket:
                return True
        except FileNotFoundError:  # closed since it was listed
            continue
    return False


def accepted_by(pid: int, server_port: int, client_port: int) -> bool:
    """Whether it was `pid` that accepted the connection, as soon as somebody did."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        socket = accepted(server_port, client_port)
        if socket:
            return holds(pid, socket)
        time.sleep(PAUSE / 10)
    return False


def asked(worker: Worker) -> tuple[int, str] | None:
    """Status and body of GET /healthz on a new connection; None when another process took it."""
    connection = http.client.HTTPConnection(reachable(worker.host), worker.port, timeout=PATIENCE)
    try:
        connection.connect()
        client_port = connection.sock.getsockname()[1]
        if worker.pid is not None and not accepted_by(worker.pid, worker.port, client_port):
            return None
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status, response.read(65536).decode("utf-8", "replace")
    finally:
        connection.close()


def problem(status: int, body: str, digest: str) -> str:
    """What keeps this answer from being the one awaited; empty when nothing does."""
    if status != http.client.OK:
        return f"/healthz answered {status}: {body[:200]}"
    try:
        answer = json.loads(body)
    except ValueError:
        return f"/healthz answered no JSON: {body[:200]}"
    found = answer.get("digest") if isinstance(answer, dict) else None
    return "" if found == digest else f"/healthz answered digest {found}, expected {digest}"


def once(worker: Worker) -> str | None:
    """Asks one time; empty for the right answer, None when another process took the question."""
    try:
        answer = asked(worker)
    except (OSError, http.client.HTTPException) as refusal:
        return f"/healthz did not answer: {refusal!r}"
    return problem(*answer, worker.digest) if answer else None


def wait(worker: Worker, seconds: float) -> str:
    """Empty as soon as the right answer came, else why it never did."""
    deadline = time.monotonic() + seconds
    last = f"process {worker.pid} accepts no connection"
    while time.monotonic() < deadline:
        if ended := worker.ended():
            return ended
        found = once(worker)
        if found == "":
            return ""
        last = found or last
        time.sleep(PAUSE)
    return last


def stay(worker: Worker, seconds: float) -> str:
    """Empty when the worker lived for so long, else why it did not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ended := worker.ended():
            return f"{ended} after it had answered"
        time.sleep(PAUSE)
    return ""


def verdict(worker: Worker, seconds: float, staying: float) -> str:
    """Empty when the worker answered, stayed and answered again, else why it did not."""
    return wait(worker, seconds) or stay(worker, staying) or wait(worker, seconds)


def gone(pid: int | None) -> str:
    """That the process is gone, if it is; one that nobody has waited for yet is (state Z)."""
    if pid is None:
        return ""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        state = "Z"
    return f"process {pid} is gone" if state == "Z" else ""


def main() -> int:
    """Reads the arguments and prints why it gave up, if it did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--stay", type=float)
    given = parser.parse_args()
    worker = Worker(given.host, given.port, given.digest, given.pid, lambda: gone(given.pid))
    if given.stay is None:
        found = wait(worker, given.seconds)
    else:
        found = verdict(worker, given.seconds, given.stay)
    if found:
        sys.stdout.write(found + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
