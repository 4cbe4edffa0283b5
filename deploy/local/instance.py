"""The instance of the laptop: real supervisord, as whoever runs this, with the release's own
configuration, in a folder laid out as on EC2."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from deploy.errors import LocalError
from deploy.local.comparison import digest_of
from deploy.local.embedded_aws import LOOPBACK
from deploy.local.environment import interpreter
from deploy.local.server import listen
from deploy.local.workspace import Child, Command, Workspace, end_of_file
from deploy.question import Answer, Question, ask

PORT_FLAG = "--port"
_READY_SECONDS = 30.0
_ANSWER_SECONDS = 5.0
_POLL_SECONDS = 0.05
_DRAIN_SECONDS = 0.2
_GRACE_SECONDS = 10.0
# Each of the two workers has ended by itself once: it is not going to work.
_FAILURES = 2


@dataclass(frozen=True)
class Layout:
    """The folders of an instance: /opt/NAME, /run/NAME and /var/log/NAME on EC2."""

    home: Path
    run: Path
    logs: Path


def layout(workspace: Path) -> Layout:
    """The same three folders on the laptop.

    The run folder has a short path: it holds the control socket, and the path of a socket
    may be 103 bytes long on macOS.
    """
    folder = workspace / "instance"
    return Layout(home=folder / "opt", run=workspace / "run", logs=folder / "log")


@dataclass(frozen=True)
class Instance:
    """A running supervisord, and where its workers listen."""

    child: Child
    port: int
    digest: str
    places: Layout

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def wait(self, seconds: float = _READY_SECONDS) -> None:
        """A worker answers with the release's digest.

        Raises:
            LocalError: supervisord or the workers ended, or nothing answered in time; with
                the end of what they logged.
        """
        deadline = time.monotonic() + seconds
        while digest_of(answer := self._health()) != self.digest:
            if self.child.exit_status is not None:
                raise LocalError(
                    f"supervisord ended. The end of its log:\n{self.child.end_of_log()}"
                )
            if _failures(self.places.logs / "supervisord.log") >= _FAILURES:
                raise LocalError(f"The service does not start. The end of its log:\n{self._said()}")
            if time.monotonic() > deadline:
                raise LocalError(
                    f"{unanswered(answer, self.digest, seconds)} The end of its log:\n"
                    f"{self._said()}"
                )
            self._wake()
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Workers and supervisord have ended, or the grace time is over."""
        deadline = time.monotonic() + self.child.grace
        self.child.ask_to_stop()
        while self.child.exit_status is None and time.monotonic() < deadline:
            self._wake()
            time.sleep(_POLL_SECONDS)

    def _health(self) -> Answer:
        return ask("instance", self.url, Question("/healthz"), _ANSWER_SECONDS)

    def _wake(self) -> None:
        """supervisord looks around once a second: for workers to start, for ended ones, for
        signals. A connection to its control socket makes it look now."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.places.run / "supervisor.sock"))

    def _said(self) -> str:
        return end_of_file(self.places.logs / "service_0.log", 20) or self.child.end_of_log()


def free_port(wanted: int) -> int:
    """The port, or for 0 any that is free now.

    Raises:
        LocalError: it is in use.
    """
    with listen(wanted, PORT_FLAG) as listener:
        return int(listener.getsockname()[1])


def start(
    workspace: Workspace,
    name: str,
    installed: Path,
    port: int,
    endpoint: str,
    *,
    own: Mapping[str, str] = MappingProxyType({}),
) -> Instance:
    """supervisord is on its way up with the release in `installed`; `wait` for it.

    Args:
        own: variables that the stack gives its instances.

    Raises:
        LocalError: the port is in use.
    """
    free_port(port)
    places = layout(workspace.folder)
    for folder in (places.run, places.logs):
        folder.mkdir(parents=True, exist_ok=True)
    current = places.home / "current"
    current.symlink_to(installed)
    told = {**environment(name, places, port, endpoint), **own}
    configuration = current / "ops" / "supervisor" / "supervisord.conf"
    arguments = (sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration))
    # supervisord stops one program after the other.
    grace = _DRAIN_SECONDS + 2 * _GRACE_SECONDS + 2.0
    command = Command(arguments, told, places.home, grace=grace)
    child = workspace.start(command, places.logs / "supervisord.out")
    return Instance(child, port, installed.name, places)


def environment(name: str, places: Layout, port: int, endpoint: str) -> dict[str, str]:
    """What an instance's environment file says, and the way to the embedded AWS."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "SERVICE_NAME": name,
        "SERVICE_HOME": str(places.home),
        "SERVICE_RUN": str(places.run),
        "SERVICE_LOGS": str(places.logs),
        "SERVICE_USER": pwd.getpwuid(os.getuid()).pw_name,
        "SERVICE_PYTHON": str(interpreter()),
        "SERVICE_HOST": LOOPBACK,
        "SERVICE_PORT": str(port),
        "SERVICE_DRAIN_SECONDS": str(_DRAIN_SECONDS),
        "SERVICE_GRACE_SECONDS": str(_GRACE_SECONDS),
        "SERVICE_WORKER_GRACE_SECONDS": str(_GRACE_SECONDS),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def failures(lines: Iterable[str]) -> int:
    """How often an HTTP worker ended by itself, by supervisord's log."""
    return sum("exited: service_" in line and "not expected" in line for line in lines)


def _failures(log: Path) -> int:
    return failures(end_of_file(log, 200).splitlines())


def unanswered(last: Answer, digest: str, seconds: float) -> str:
    """Says that the release with this digest never answered, and what was answered last."""
    text = f"{last.url} did not answer for release {digest[:12]} within {seconds:.0f} s"
    if last.problem:
        return f"{text}."
    return (
        f"{text}; it last answered {last.status} {last.body[:200].decode(errors='replace')!r}. "
        "`app` must answer GET /healthz with current().identity, as in service/handler.py."
    )
