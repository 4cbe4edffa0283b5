"""EDGE: one guest: a Debian under systemd that plays an EC2 instance."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from deploy.errors import LocalError
from deploy.local.guests.image import Image
from deploy.local.guests.metadata import Described, metadata_service
from deploy.local.guests.namespace import Uplink, listening, uplink
from deploy.local.server import Background, serving
from deploy.local.workspace import Child, Command, Workspace
from service.settings import PORT

METADATA = "169.254.169.254"
GATEWAY_PORT = 4566
GATEWAY = f"http://{METADATA}:{GATEWAY_PORT}"
"""AWS, as a guest sees it; image/aws-config names it."""

CONSOLE = "console.log"
_START = Path(__file__).parent / "start.sh"
_METADATA_PORT = 80
# Above TimeoutStopSec of ops/systemd/supervisor.conf.
_SHUTDOWN_SECONDS = 135.0
_NETWORK_SECONDS = 60.0
_POLL_SECONDS = 0.02
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Ground:
    """What all guests of a cloud share; `gateway` answers as AWS does."""

    workspace: Workspace
    background: Background
    image: Image
    gateway: ASGIApp


class Guest:
    """A guest, running or not; its files outlast a reboot and a power loss."""

    def __init__(self, ground: Ground, described: Described) -> None:
        self.described = described
        self.folder = ground.workspace.folder / "guests" / described.instance
        self._ground = ground
        self._child: Child | None = None
        self._running = ExitStack()

    @property
    def console(self) -> Path:
        """The file with what it has written to its console."""
        return self.folder / CONSOLE

    @property
    def is_running(self) -> bool:
        """Whether it is up, coming up, or on its way down."""
        return self._child is not None and self._child.exit_status is None

    def start(self) -> None:
        """It boots, for the first and only time; the port of the service leads to it.

        Raises:
            LocalError: its files, network or namespaces cannot be made; nothing is left then.
        """
        with ExitStack() as undo:
            try:
                self._start(undo)
            except OSError as error:
                raise LocalError(
                    f"Guest {self.described.instance} does not start: {error}. "
                    "Correct the cause and retry."
                ) from error
            self._running = undo.pop_all()

    def _start(self, undo: ExitStack) -> None:
        workspace = self._ground.workspace
        self.folder.mkdir(parents=True)
        pipe = self.folder / "go"
        os.mkfifo(pipe)
        # As on EC2, the network and what answers in it are there until the guest has shut down.
        around = undo.enter_context(ExitStack())
        child = workspace.start(self._command(), self.console)
        undo.callback(workspace.stop, child)
        self._child = child
        (self.folder / "pid").write_text(f"{child.pid}\n", encoding="ascii")
        self._await(child, (self.folder / "network").exists)
        self._serve(around, metadata_service(self.described), _METADATA_PORT, child.pid)
        self._serve(around, self._ground.gateway, GATEWAY_PORT, child.pid)
        way_out = self._uplink(child)
        around.callback(workspace.stop, way_out.child)
        network = self.described.private_address.rpartition(".")[0]
        way_out.forward(self.described.public_address, PORT, self.described.private_address)
        self._await(child, lambda: told(pipe, f"{network}.3\n"))

    def stop(self) -> None:
        """It has shut down as at the power button, or was cut off after 135 s."""
        self._running.close()

    def kill(self) -> None:
        """It is gone as after a power loss; its files stay as they were that moment."""
        if self._child is not None:
            self._child.kill()
        self.stop()

    def discard(self) -> None:
        """Its disk is gone; its console and its logs stay, they are still read."""
        upper = self.folder / "upper"
        logs = {upper / "var", upper / "var" / "log"}
        for path in (self.folder / "work", *upper.glob("*"), *upper.glob("var/*")):
            if path not in logs:
                shutil.rmtree(path, ignore_errors=True)

    def _command(self) -> Command:
        name = f"ip-{self.described.private_address.replace('.', '-')}"
        unshared = ("unshare", "--net", "--mount", "--propagation", "slave")
        start = ("bash", str(_START), str(self.folder), str(self._ground.image.root), name)
        environment = {"PATH": os.environ["PATH"]}
        return Command((*unshared, *start), environment, self.folder, grace=_SHUTDOWN_SECONDS)

    def _await(self, child: Child, happens: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _NETWORK_SECONDS
        while not happens():
            if child.exit_status is not None or time.monotonic() > deadline:
                raise LocalError(
                    f"Guest {self.described.instance} does not start. "
                    f"The end of its console:\n{child.end_of_log()}"
                )
            time.sleep(_POLL_SECONDS)

    def _serve(self, undo: ExitStack, app: ASGIApp, port: int, pid: int) -> None:
        background = self._ground.background
        served = serving(app, listening(pid, METADATA, port))
        background.run(served.__aenter__())
        undo.callback(lambda: background.run(served.__aexit__(None, None, None)))

    def _uplink(self, child: Child) -> Uplink:
        network = f"{self.described.private_address.rpartition('.')[0]}.0/24"
        return uplink(self._ground.workspace, child.pid, network, self.folder)


def told(pipe: Path, line: str) -> bool:
    """Whether the line went into the pipe; not while nobody reads it (fifo(7))."""
    try:
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return False
        raise
    with os.fdopen(descriptor, "w", encoding="ascii") as writer:
        writer.write(line)
    return True


def leader_of(pid: int) -> int | None:
    """PID 1 of the guest that the process with this ID (start.sh) has booted, seen from here."""
    for nspawn in _children(pid):
        for child in _children(nspawn):
            if _is_first(child):
                return child
    return None


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _is_first(pid: int) -> bool:
    """Whether the process is PID 1 of a namespace of its own, and an init already."""
    with suppress(OSError):
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if ":\t" in line
        )
        return status["NSpid"].split()[1:] == ["1"] and status["Name"] == "systemd"
    return False


def inside(leader: int, command: tuple[str, ...]) -> list[str]:
    """The command line that runs a command in all namespaces of a guest, as root."""
    return [
        *("nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--"),
        *("/usr/bin/env", "-i", f"PATH={_PATH}", "HOME=/root", "LANG=C.UTF-8", "TERM=xterm"),
        *command,
    ]


def free_address() -> str:
    """A loopback address whose service port nobody uses, such as 127.77.0.3.

    Raises:
        LocalError: none is free.
    """
    for number in range(1, 255):
        address = f"127.77.0.{number}"
        with suppress(OSError), socket.create_server((address, PORT)):
            return address
    raise LocalError(f"Port {PORT} is in use on all of 127.77.0.1 to 127.77.0.254.")
