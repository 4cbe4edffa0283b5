"""An instance in a scratch root: the real supervisord, the real scripts, a fake `aws` on PATH."""

import fcntl
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
OPS = ROOT / "ops"
SCRIPTS = Path(sys.executable).parent
BUCKET = "artifacts-of-the-test"
# For what must happen at some time: the machine may be ten times slower for minutes.
PATIENCE = 120.0

# Answers each request on a connection of its own; after TERM it finishes the one in hand.
# A behaviour that begins with "shared" shows behind the shared socket only, not in the trial.
# It does not outlive who started it, so a supervisord that was killed leaves no worker behind.
# As a queue worker it does nothing, and tells of it; behaviours of that begin with "worker".
SERVER = """
import json, os, select, signal, socket, sys, time
import service.handler
def work(behaviour):
    if not os.environ.get("SERVICE_WORKER_QUEUES"):
        sys.exit()
    if behaviour == "crash":
        sys.exit("cannot work: no database")
    told, parent, begun = [], os.getppid(), time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: told.append(1))
    print("working", os.environ["SERVICE_DIGEST"], flush=True)
    while not told and os.getppid() == parent:
        time.sleep(0.02)
        if behaviour == "short life" and time.monotonic() > begun + 1.5:
            sys.exit("cannot go on: no memory")
    if behaviour == "slow":
        time.sleep(4)
    print("ended", os.environ["SERVICE_DIGEST"], flush=True)
    sys.exit()
if sys.argv[1] == "worker":
    work({behaviour!r}.removeprefix("worker "))
listener = socket.socket(fileno=0)
listener.setblocking(False)
behaviour = {behaviour!r}
if behaviour.startswith("shared "):
    shared = listener.getsockname()[1] == int(os.environ["SERVICE_PORT"])
    behaviour = behaviour.removeprefix("shared ") if shared else "good"
if behaviour == "crash":
    sys.exit("cannot start: no database")
if behaviour == "in another folder":
    os.chdir("/")
# For how many questions about its health it lives.
LIVES = {{"short life": 1, "longer life": 2}}
asked = 0
asked_to_stop = []
parent = os.getppid()
signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.append(1))
print("serving", os.environ["SERVICE_DIGEST"], flush=True)
while not asked_to_stop and os.getppid() == parent:
    select.select([listener], [], [], 0.05)
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        continue
    connection.setblocking(True)
    request = connection.recv(65536)
    healthy = behaviour != "unhealthy" or b"/healthz" not in request
    body = json.dumps({{"digest": os.environ["SERVICE_DIGEST"], "pid": os.getpid(),
                       "mode": os.environ["SERVICE_MODE"], "path": sys.path}}).encode()
    status = b"200 OK" if healthy else b"500 Internal Server Error"
    head = b"HTTP/1.1 %s\\r\\nContent-Length: %d\\r\\n" % (status, len(body))
    if request:
        connection.sendall(head + b"Connection: close\\r\\n\\r\\n" + body)
    connection.close()
    asked += b"/healthz" in request
    if asked == LIVES.get(behaviour):
        sys.exit("cannot go on: no memory")
if behaviour == "slow to stop":
    time.sleep(2)
"""

FAKE_AWS = """#!/bin/sh
# Stands for the AWS CLI: the metadata is a file, the bucket a folder. Every call is written down.
echo "$*" >>"$FAKE_AWS/calls"
case "$1 $2" in
  "cloudformation describe-stack-resource") cat "$FAKE_AWS/metadata" ;;
  "s3 cp")
    for argument; do
      case $argument in s3://*) from=${argument#s3://} ;; *) to=$argument ;; esac
    done
    cp "$FAKE_AWS/$from" "$to" ;;
  "cloudformation signal-resource")
    python3 "$FAKE_AWS/answered.py" "$TWOFOLD_ROOT" >>"$FAKE_AWS/calls" ;;
  "logs put-log-events")
    for argument; do
      case $argument in file://*) events=${argument#file://} ;; esac
    done
    [ ! -e "$FAKE_AWS/no-logs" ] && cp "$events" "$FAKE_AWS/events" ;;
  *) ;;
esac
"""

# What /healthz says at the moment of the signal.
ANSWERED = """
import pathlib, sys, urllib.request
file = pathlib.Path(sys.argv[1], "etc/hello/instance.env")
lines = file.read_text().splitlines() if file.exists() else []
port = dict(line.split("=", 1) for line in lines).get("SERVICE_PORT", "0")
try:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
        print("answered", answer.status, "at the signal")
except OSError as refusal:
    print("answered", refusal, "at the signal")
"""


def zipped(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def release(label: str, behaviour: str = "good", extra: Mapping[str, bytes] | None = None) -> bytes:
    """An artifact with the real ops/ and a service of a few lines; `label` makes it distinct."""
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in sorted(OPS.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    handler = "import a_library_that_is_missing" if behaviour == "import error" else ""
    files |= {
        "service/__init__.py": f"# {label}\n".encode(),
        "service/handler.py": handler.encode(),
        "service/http_server.py": b"",
        "service/__main__.py": SERVER.format(behaviour=behaviour).encode(),
        **(extra or {}),
    }
    return zipped(files)


def until(condition: Callable[[], Any]) -> Any:
    """What `condition` gives as soon as it is true; fails when it never is."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE} s: {condition}")


@dataclass
class Answers:
    """What the clients of a load saw."""

    asked: int = 0
    lost: list[str] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)


@dataclass
class Instance:
    """One scratch root with its stack's metadata and bucket beside it."""

    root: Path
    port: int = field(default_factory=free_port)
    supervisord: subprocess.Popen[bytes] | None = None
    # A command that sets a limit, say, and then becomes install-release.
    started_by: tuple[str, ...] = ()
    # What instance.env says besides.
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.root / "opt"

    @property
    def cloud(self) -> Path:
        return self.root / "aws"

    @property
    def environment(self) -> dict[str, str]:
        user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True)
        return {
            "PATH": f"{self.root / 'bin'}:{SCRIPTS}:{os.environ['PATH']}",
            "FAKE_AWS": str(self.cloud),
            "SERVICE_NAME": "hello",
            "SERVICE_HOME": str(self.home),
            "SERVICE_RUN": str(self.root / "run"),
            "SERVICE_LOGS": str(self.root / "logs"),
            "SERVICE_USER": user.stdout.strip(),
            "SERVICE_PYTHON": sys.executable,
            "SERVICE_HOST": "127.0.0.1",
            "SERVICE_PORT": str(self.port),
            "SERVICE_STACK": "hello-dev",
            "SERVICE_FLEET": "ServiceFleet",
            "SERVICE_TRIAL_SECONDS": "0.3",
            "SERVICE_SETTLE_SECONDS": "0.3",
            "AWS_REGION": "eu-west-1",
            **self.variables,
        }

    def release(self, label: str, behaviour: str = "good", **more: Any) -> str:
        """Builds an artifact, uploads it and points the stack's metadata at it."""
        extra = more.pop("extra", None)
        return self.publish(release(label, behaviour, extra), **more)

    def repeat(self) -> None:
        """Points the metadata at the release that is current."""
        digest = self.link("current")
        pointer = {"Bucket": BUCKET, "Key": "unused.zip", "Sha256": digest, "BuildId": "build-1"}
        (self.cloud / "metadata").write_text(json.dumps({"Release": pointer}) + "\n")

    def publish(self, artifact: bytes, *, build: str = "build-1", digest: str = "") -> str:
        """Uploads the artifact and points the stack's metadata at it."""
        digest = digest or hashlib.sha256(artifact).hexdigest()
        key = f"hello/artifacts/{digest}.zip"
        (self.cloud / BUCKET / key).parent.mkdir(parents=True, exist_ok=True)
        (self.cloud / BUCKET / key).write_bytes(artifact)
        pointer = {"Bucket": BUCKET, "Key": key, "Sha256": digest, "BuildId": build}
        (self.cloud / "metadata").write_text(json.dumps({"Release": pointer}) + "\n")
        return digest

    def script(self) -> Path:
        """install-release of the release that is current, which cfn-hup runs."""
        installed = self.home / "current/ops/instance/install-release.sh"
        return installed if installed.exists() else OPS / "instance/install-release.sh"

    def install(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs install-release and waits for its end."""
        return subprocess.run(
            [*self.started_by, "bash", self.script(), *arguments],
            env=self.environment | variables,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
            check=False,
        )

    def start(self) -> None:
        """Starts supervisord with the current release's files and waits for both workers.

        It stops when the tests are killed.
        """
        config = self.home / "current/ops/supervisor/supervisord.conf"
        self.supervisord = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", SCRIPTS / "supervisord", "-c", config],
            env=self.environment,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: self.control("status", "service:*").stdout.count("RUNNING") == 2)

    def control(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        config = OPS / "supervisor/supervisord.conf"
        return subprocess.run(
            [SCRIPTS / "supervisorctl", "-c", config, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def stop(self) -> None:
        if self.supervisord is None:
            return
        self.supervisord.terminate()
        try:
            self.supervisord.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.supervisord.kill()
            self.supervisord.wait(timeout=PATIENCE)

    def ask(self, path: str = "/healthz") -> dict[str, Any]:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE
        ) as answer:
            return dict(json.load(answer))

    def link(self, name: str) -> str:
        return str((self.home / name).readlink()).removeprefix("releases/")

    def workers(self) -> dict[str, str]:
        """The process ID of each HTTP worker that runs, and the release that its folder names."""
        return self._running("service:service_0", "service:service_1")

    def queue_workers(self) -> dict[str, str]:
        """The same of the queue workers."""
        return self._running("worker:worker_0")

    def _running(self, *names: str) -> dict[str, str]:
        found = [pid for pid in self.control("pid", *names).stdout.split() if pid != "0"]
        return {pid: Path(f"/proc/{pid}/cwd").readlink().name for pid in found}

    def state(self, program: str) -> str:
        """What supervisord says of a program, such as RUNNING."""
        return self.control("status", program).stdout.split()[1]

    def kill(self, pid: str) -> None:
        os.kill(int(pid), signal.SIGKILL)

    def until(self, condition: Callable[[], Any]) -> Any:
        return until(condition)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with (self.home / "install.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def load(self) -> Iterator[Answers]:
        """Two clients that ask, a connection each time, until the block ends."""
        answers, done = Answers(), threading.Event()

        def client() -> None:
            while not done.wait(0.02):
                try:
                    answers.digests.add(self.ask("/")["digest"])
                except OSError as refusal:
                    answers.lost.append(repr(refusal))
                answers.asked += 1

        clients = [threading.Thread(target=client) for _ in range(2)]
        for thread in clients:
            thread.start()
        try:
            yield answers
        finally:
            done.set()
            for thread in clients:
                thread.join(timeout=PATIENCE)

    def fetched(self) -> list[str]:
        return [call for call in self.calls() if call.startswith("s3 cp")]

    def copy_of_current(self, digest: str, age: float = 0) -> None:
        """Another installed release, as if it had become current `age` seconds ago."""
        folder = self.home / "releases" / digest
        shutil.copytree(self.home / "current", folder)
        os.utime(folder, (time.time() - age,) * 2)

    def record(self, command: str) -> None:
        """From now on each call of the command is written down, too."""
        script = self.root / "bin" / command
        noted = f'echo "{command} $*" >>"$FAKE_AWS/calls"'
        script.write_text(f'#!/bin/sh\n{noted}\nexec {shutil.which(command)} "$@"\n')
        script.chmod(0o755)

    def reported(self) -> dict[str, Any]:
        """The last event in the log group's stream."""
        (event,) = json.loads((self.cloud / "events").read_text())
        return dict(json.loads(event["message"]))

    def calls(self) -> list[str]:
        path = self.cloud / "calls"
        return path.read_text().splitlines() if path.exists() else []


def scratch(root: Path) -> Instance:
    for name in ("opt", "run", "logs", "bin", "aws"):
        (root / name).mkdir()
    (root / "bin/aws").write_text(FAKE_AWS)
    (root / "bin/aws").chmod(0o755)
    (root / "aws/answered.py").write_text(ANSWERED)
    return Instance(root)


@contextmanager
def started(
    root: Path, extra: Mapping[str, bytes] | None = None, **variables: str
) -> Iterator[Instance]:
    """The first release serves; `extra` are files in it, or in place of its own."""
    made = scratch(root)
    made.variables = variables
    try:
        made.release("first", extra=extra)
        assert made.install().returncode == 0
        made.start()
        assert made.install().returncode == 0
        yield made
    finally:
        made.stop()
