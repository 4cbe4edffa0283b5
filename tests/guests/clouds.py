"""A `twofold up --guests` or `twofold guest boot` of a project of its own, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).parents[2]
TWOFOLD = Path(sys.executable).with_name("twofold")
# Generous: two cores that may be throttled build, boot and install here.
SECONDS = 900.0
_PARTS = ("service", "deploy", "ops", "pyproject.toml", "service.lock", "deploy.lock", "README.md")

HANDLER = '''"""The service of a test: it says which release it is."""

import asyncio
{imports}
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from service.runtime.events import EventRouter
from service.settings import current

LABEL = {label!r}
events = EventRouter()
{body}

def greet(_: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{{LABEL}} {{current().digest}}")


async def slow(_: Request) -> PlainTextResponse:
    await asyncio.sleep(3)
    return PlainTextResponse(f"{{LABEL}} slowly")


def health(_: Request) -> JSONResponse:
    return JSONResponse({{"status": "ok", **current().identity}}, status_code={health})


app = Starlette(routes=[Route("/", greet), Route("/slow", slow), Route("/healthz", health)])


@events.invoke
def invoke(event: object) -> object:
    return {{"message": LABEL, "event": event}}
'''


def until(condition: Callable[[], Any], seconds: float = SECONDS, what: str = "") -> Any:
    """What `condition` gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:.0f} s: {what or condition}")


def copied(folder: Path) -> Path:
    """A copy of the project with a .twofold of its own; the cache is shared."""
    for part in _PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / part, folder / part)
    (ROOT / ".twofold" / "cache").mkdir(parents=True, exist_ok=True)
    (folder / ".twofold").mkdir()
    (folder / ".twofold" / "cache").symlink_to(ROOT / ".twofold" / "cache")
    return folder


@dataclass
class Project:
    """A project folder whose service says a label; every command runs as a user's would."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def write(
        self, label: str, *, imports: str = "", body: str = "", health: int | str = 200
    ) -> None:
        """The handler module of the next release; `health` is the status, or an expression."""
        text = HANDLER.format(label=label, imports=imports, body=body, health=health)
        (self.folder / "service" / "handler.py").write_text(text, encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "deploy", *arguments]

    def variables(self, **more: str) -> dict[str, str]:
        own = {"PYTHONPATH": str(self.folder), "PATH": os.environ["PATH"], "HOME": str(self.folder)}
        return {**own, **self.environment, **more}

    def run(
        self, *arguments: str, check: bool = True, seconds: float = SECONDS, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.variables(**variables),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    @property
    def record(self) -> dict[str, Any]:
        """What the command that plays this project has written down for others."""
        path = self.folder / ".twofold" / "local.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def guest_folders(self) -> list[Path]:
        """Those of the guests that are up, the oldest first."""
        guests = Path(self.record["folder"]) / "guests"
        folders = sorted(guests.glob("i-*"), key=lambda path: path.stat().st_ctime)
        return [folder for folder in folders if _is_up(folder)]

    def document(self, *arguments: str) -> dict[str, Any]:
        return dict(json.loads(self.run(*arguments, "--json").stdout))


@dataclass
class Playing:
    """A running `twofold up --guests` or `twofold guest boot`, and what it has said so far."""

    project: Project
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def provision(self, *flags: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.project.run("provision", "--local", *flags, check=check)

    def release(self, label: str, **how: Any) -> str:
        """A new release is provisioned; its digest."""
        self.project.write(label, **how)
        document = self.project.document("provision", "--local")
        return str(document["release"]["sha256"])

    def status(self) -> dict[str, Any]:
        return self.project.document("status", "--local")

    def instances(self) -> dict[str, dict[str, Any]]:
        """Each instance that `status` knows, by its ID."""
        return {
            side["name"].split()[-1]: side
            for side in self.status()["sides"]
            if side["name"].startswith("instance")
        }

    @property
    def workspace(self) -> Path:
        return Path(self.project.record["folder"])

    def aws(self, service: str) -> Any:
        """boto3's client of a service of the embedded AWS."""
        record = self.project.record
        session = boto3.Session("test", "test", region_name=record["region"])
        return session.client(service, endpoint_url=record["endpoint"])

    def guests(self) -> list[GuestOf]:
        """Those that are up, the oldest first."""
        return [GuestOf(self, folder) for folder in self.project.guest_folders()]

    def only(self) -> GuestOf:
        (one,) = self.guests()
        return one

    def heard(self, text: str) -> bool:
        return any(text in line for line in self.said)

    def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        """What `condition` gives as soon as it is true; it must not end before that."""
        found = until(lambda: condition() or self.process.poll() is not None, what=what)
        assert self.process.poll() is None, "".join(self.said)
        return found


def _is_up(folder: Path) -> bool:
    with suppress(OSError, ValueError):
        pid = int((folder / "pid").read_text())
        return "start.sh" in Path(f"/proc/{pid}/cmdline").read_text()
    return False


@dataclass
class GuestOf:
    """A guest, looked into with `twofold guest shell`."""

    playing: Playing
    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def leader(self) -> int:
        """Its PID 1, as this machine numbers it."""
        return leader(self.folder)

    @property
    def url(self) -> str:
        return str(self.playing.instances()[self.id]["url"])

    def shell(self, script: str, *, check: bool = True, seconds: float = SECONDS) -> str:
        """What a bash script says, run as root inside."""
        done = self.playing.project.run(
            "guest", "shell", "-i", self.id, "bash", "-c", script, check=False, seconds=seconds
        )
        assert not check or done.returncode == 0, f"{script}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def status(self, script: str) -> int:
        done = self.playing.project.run(
            "guest", "shell", "-i", self.id, "bash", "-c", script, check=False
        )
        return done.returncode

    def digest(self) -> str:
        """The release of the service that answers, from inside; empty when none does."""
        answer = self.shell("curl -sS -m 10 http://127.0.0.1:9999/healthz", check=False)
        with suppress(ValueError):
            return str(json.loads(answer)["digest"])
        return ""

    def link(self, name: str) -> str:
        return self.shell(f"basename $(readlink /opt/hello/{name})").strip()

    def workers(self) -> dict[str, int]:
        """Process ID, as the guest numbers it, of each worker that supervisord calls running."""
        status = "/opt/hello/current/ops/instance/supervisorctl.sh status"
        lines = [line.split() for line in self.shell(status, check=False).splitlines()]
        return {line[0]: int(line[3].rstrip(",")) for line in lines if line[1:2] == ["RUNNING"]}

    def install(self, *arguments: str, check: bool = True) -> str:
        """Runs install-release as an operator does, without waiting for cfn-hup's minute."""
        command = " ".join(("/opt/hello/current/ops/instance/install-release.sh", *arguments))
        return self.shell(f"{command} 2>&1", check=check)

    def cut_off(self) -> None:
        """As a power loss: no process of it gets to know."""
        os.kill(self.leader, signal.SIGKILL)

    @contextmanager
    def load(
        self,
        closing: int = 3,
        keep_alive: int = 6,
        slow: int = 4,
        pausing: int = 0,
        *,
        pause: float = 0.0,
        least: int = 0,
        tell: float = 0.0,
        port: int = 9999,
        seconds: float = SECONDS,
    ) -> Iterator[dict[str, Any]]:
        """Clients in the guest's own network ask while the block runs; then the dict is filled.

        Args:
            pause: how long a client waits between two requests, at most.
            least: after the block they go on, for so many seconds, until so many were asked.
            tell: how often, in seconds, to say on standard error how many were; 0 for never.
        """
        command = [
            *("nsenter", f"--target={self.leader}", "--net", "--"),
            *(sys.executable, "-m", "tests.guests.load", f"http://127.0.0.1:{port}"),
            *("--closing", str(closing), "--keep-alive", str(keep_alive)),
            *("--pausing", str(pausing), "--slow", str(slow)),
            *("--pause", str(pause), "--least", str(least), "--tell", str(tell)),
        ]
        found: dict[str, Any] = {}
        with subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C is for this program, which ends that one
        ) as asking:
            try:
                yield found
                output, _ = asking.communicate(timeout=seconds)
                found.update(json.loads(output))
            finally:
                asking.kill()


def lost(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """The kinds of clients that lost a request, with the first reasons."""
    return {name: kind["reasons"] for name, kind in found["kinds"].items() if kind["lost"]}


def leader(folder: Path) -> int:
    """PID 1 of the guest in the folder, as this machine numbers it.

    Raises:
        LookupError: there is none yet, or no more.
    """
    pid = int((folder / "pid").read_text())
    pending = [pid]
    while pending:
        one = pending.pop()
        with suppress(OSError):
            if Path(f"/proc/{one}/comm").read_text().strip() == "systemd":
                return one
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
            pending += [int(child) for child in children]
    raise LookupError(f"guest {folder.name} has no PID 1")


@contextmanager
def played(project: Project, *arguments: str, ready: str) -> Iterator[Playing]:
    """While the block runs, so does the command; afterwards nothing of it is left.

    Args:
        ready: the line that says that it is up.
    """
    process = subprocess.Popen(
        # It must not outlive this program, however that ends.
        ["setpriv", "--pdeathsig", "TERM", *project.command(*arguments)],
        cwd=project.folder,
        env=project.variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    playing = Playing(project, process)
    reader = threading.Thread(target=_read, args=(process, playing.said), daemon=True)
    reader.start()
    try:
        playing.until(lambda: playing.heard(ready), what=ready)
        yield playing
    finally:
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(10)
        assert process.stdout is not None
        process.stdout.close()


def _read(process: subprocess.Popen[str], said: list[str]) -> None:
    assert process.stdout is not None
    said.extend(process.stdout)


def asked(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())
