"""A network and a mount namespace of this machine's own system: an instance without a boot.

169.254.169.254 is there, something lies over /usr, and what is written to /opt, /run,
/var/lib and /var/log goes with it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp

from deploy.errors import LocalError
from deploy.local.guests.namespace import listening
from deploy.local.guests.requirements import refuse_without
from deploy.local.interrupts import Interrupts
from deploy.local.server import Background, serving
from deploy.local.workspace import Child, Command, Workspace

ADDRESS = "169.254.169.254"
SECONDS = 120

# The first process of its own PID namespace: what is run in there ends with it.
_BEGIN = """
set -eu
mount -t overlay overlay -o "lowerdir=$1:/usr" /usr
for folder in /opt /run /var/lib /var/log; do mount -t tmpfs tmpfs "$folder"; done
ip link set lo up
ip address add 169.254.169.254/32 dev lo
: >"$2"
exec sleep infinity
"""


def why_not() -> str:
    """What this machine lacks for namespaces; nothing if it has all."""
    try:
        refuse_without()
    except LocalError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Secluded:
    """The way in."""

    child: Child
    background: Background
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})

    def run(self, *argv: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """What a program in there did, as root."""
        pid = self.child.pid
        enter = ["nsenter", f"--target={pid}", "--net", "--mount", "--wd=/"]
        enter += [f"--pid=/proc/{pid}/ns/pid_for_children"]
        return subprocess.run(
            [*enter, *map(str, argv)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=check,
        )

    @contextmanager
    def serving(self, app: ASGIApp, port: int) -> Iterator[None]:
        """`app` answers at 169.254.169.254."""
        with _served(self.background, app, listening(self.child.pid, ADDRESS, port)):
            yield


@contextmanager
def _served(background: Background, app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    server = serving(app, listener)
    background.run(server.__aenter__())
    try:
        yield
    finally:
        background.run(server.__aexit__(None, None, None))


@contextmanager
def secluded(over: Path, folder: Path) -> Iterator[Secluded]:
    """While the block runs it is there; `over`/usr lies over /usr."""
    ready = folder / "secluded"
    unshare = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    command = (*unshare, "sh", "-c", _BEGIN, "sh", str(over / "usr"), str(ready))
    with Workspace(Interrupts()) as workspace, Background() as background:
        told = {"PATH": os.environ["PATH"]}
        child = workspace.start(Command(command, told, folder, grace=0.0), folder / "secluded.log")
        deadline = time.monotonic() + SECONDS
        while not ready.exists():
            assert child.exit_status is None, child.end_of_log()
            assert time.monotonic() < deadline, child.end_of_log()
            time.sleep(0.02)
        yield Secluded(child, background)
