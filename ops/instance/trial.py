"""Runs a release once beside what serves, and says why it would not do, if so.

It is started as supervisord will start it: serve.sh, the service's user, a listening socket as
descriptor 0. That socket is one of its own, on a free port of the loopback, so no request gets
there. The release must answer /healthz with its digest, live on for `--stay` seconds and answer
once more. Then it is stopped; and it is killed when this process is, and this one with `--parent`.

Exits with 0; with 65 when the release is at fault, and then the first line on standard output is
the reason and the end of what the release wrote follows; with 74 when this machine is at fault, and
then standard output says why.
"""

import argparse
import contextlib
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import await_health

RELEASE_AT_FAULT = 65  # EX_DATAERR of sysexits.h
MACHINE_AT_FAULT = 74  # EX_IOERR
LOOPBACK = "127.0.0.1"
STOP_SECONDS = 10.0  # from TERM to KILL
SHOWN_BYTES = 8192
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None)


def tied_to(parent: int) -> Callable[[], None]:
    """Called in a child of `parent`, it makes the kernel kill the child when `parent` ends."""

    def tie() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # it ended before that
            os._exit(1)

    return tie


def identity(user: str) -> dict[str, Any]:
    """What makes Popen start a process as `user`, as systemd and supervisord would.

    Only root can; anybody else is the service's user already.
    """
    if os.geteuid() != 0:
        return {}
    found = pwd.getpwnam(user)
    return {
        "user": found.pw_uid,
        "group": found.pw_gid,
        "extra_groups": os.getgrouplist(user, found.pw_gid),
        "env": os.environ | {"HOME": found.pw_dir, "USER": user, "LOGNAME": user},
    }


def started(release: Path, user: str, listener: socket.socket) -> subprocess.Popen[bytes]:
    """A worker of the release that accepts from `listener`, in a session of its own."""
    return subprocess.Popen(
        ["/bin/sh", release / "ops/instance/serve.sh"],
        stdin=listener,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=tied_to(os.getpid()),  # noqa: PLW1509  # this process has no other thread yet
        **identity(user),
    )


def follow(output: IO[bytes], written: bytearray) -> None:
    """`written` is the end of what came, until the output ends."""
    while chunk := os.read(output.fileno(), 65536):
        written += chunk
        del written[:-SHOWN_BYTES]


def ended(process: subprocess.Popen[bytes]) -> str:
    """How the process ended, if it did."""
    status = process.poll()
    if status is None:
        return ""
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}"
    return f"it ended with exit status {status}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """The process and the children that it left are gone."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(text: str) -> str:
    """Where a traceback says what was wrong; with a colon before it, if there is any."""
    lines = text.split("\n") if text else []
    return "".join(f": {line.strip()}" for line in lines[-1:])


def tried(release: Path, user: str, seconds: float, staying: float) -> tuple[str, str]:
    """Why the release would not do, empty if it would, and the end of what it wrote."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        process = started(release, user, listener)
    written = bytearray()
    reader = threading.Thread(target=follow, args=(process.stdout, written), daemon=True)
    reader.start()
    worker = await_health.Worker(LOOPBACK, port, release.name, None, lambda: ended(process))
    reason = await_health.verdict(worker, seconds, staying)
    ended_by_itself = process.poll() is not None
    stop(process)
    reader.join(STOP_SECONDS)
    text = written.decode("utf-8", "replace").strip()
    return reason + last_line(text) if reason and ended_by_itself else reason, text


def main() -> int:
    """Reads the arguments, prints reason and log when the release would not do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", required=True, type=Path)
    parser.add_argument("--user", required=True)
    parser.add_argument("--seconds", required=True, type=float)
    parser.add_argument("--stay", required=True, type=float)
    parser.add_argument("--parent", required=True, type=int)
    given = parser.parse_args()
    tied_to(given.parent)()
    reason, text = tried(given.release, given.user, given.seconds, given.stay)
    if reason:
        sys.stdout.write(f"{reason}\n{text}\n")
    return RELEASE_AT_FAULT if reason else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, KeyError, subprocess.SubprocessError) as fault:
        sys.stdout.write(f"{fault}\n")
        sys.exit(MACHINE_AT_FAULT)
