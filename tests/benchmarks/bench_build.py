"""`twofold build` against `sam build` on the same requirements, whole processes.

aws-sam-cli comes into a throw-away environment outside the tree; both build in copies of
this project, with their downloads already cached (but for the cold build). Rounds
alternate, medians count.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uv

from deploy.artifact.lock import LOCK, pins
from deploy.target import running_python
from tests.benchmarks.report import Row, UnavailableError, at_most

TITLE = "Build: twofold build against sam build, the same requirements"
SAM = "aws-sam-cli==1.170.0"
ROOT = Path(__file__).parent.parent.parent
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Service:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: source
      Handler: service.lambda_function.lambda_handler
      Runtime: python{python}
"""


@dataclass(frozen=True)
class Contender:
    """A build in a folder of its own; `prepare` brings about what is measured."""

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    prepare: Callable[[Path], None]

    def seconds(self) -> float:
        self.prepare(self.folder)
        start = time.perf_counter()
        self.run()
        return time.perf_counter() - start

    def run(self) -> str:
        """What the build printed.

        Raises:
            UnavailableError: it failed.
        """
        done = subprocess.run(
            self.command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UnavailableError(f"{' '.join(self.command)} failed:\n{done.stderr}")
        return done.stdout


def measure(rounds: int = 5) -> list[Row]:
    """Medians; the target is the warm build that compiles and tries the service anew."""
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as folder:
        contenders = _contenders(Path(folder))
        for contender in contenders.values():
            contender.seconds()  # fills the caches of both
        digests = {_forced(contenders) for _ in range(rounds)}
        spent: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, contender in contenders.items():
                spent[name].append(contender.seconds())
    if len(digests) > 1:
        raise UnavailableError(f"Builds of one tree had several digests: {sorted(digests)}.")
    return _rows({name: median(times) for name, times in spent.items()}, rounds)


def _rows(figures: Mapping[str, float], rounds: int) -> list[Row]:
    sam = figures["sam build"]
    targets = {name: at_most(0.1) for name in figures if name.startswith("twofold build, warm")}
    notes = {
        "sam build": "no .pyc",
        "twofold build, warm": f"of sam build; own files compiled anew, one sha256 in {rounds}",
    }
    return [
        Row(
            name,
            seconds,
            "s",
            None if name == "sam build" else seconds / sam,
            targets.get(name),
            notes.get(name, "of sam build"),
        )
        for name, seconds in figures.items()
    ]


def _contenders(folder: Path) -> dict[str, Contender]:
    sam, environment = _sam(folder / "sam")
    project = folder / "project"
    _copy(project, "deploy", "service", "ops", "pyproject.toml", LOCK)
    ours = (sys.executable, "-m", "deploy", "build")
    here = dict(os.environ)
    cold = {**here, "UV_CACHE_DIR": str(folder / "uv-cache")}
    return {
        "sam build": Contender((*sam, "build"), folder / "sam", environment, _as_it_is),
        "sam build --cached, nothing changed": Contender(
            (*sam, "build", "--cached"), folder / "sam", environment, _as_it_is
        ),
        "twofold build, warm": Contender(ours, project, here, _forget_own),
        "twofold build, warm, a changed handler": Contender(ours, project, here, _change),
        "twofold build, nothing changed": Contender(ours, project, here, _as_it_is),
        "twofold build, cold, uv's cache warm": Contender(ours, project, here, _forget_all),
        "twofold build, cold, uv's cache empty": Contender(ours, project, cold, _forget_downloads),
    }


def _sam(folder: Path) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """sam's command and environment; its folder holds the same service to build."""
    source = folder / "source"
    _copy(source, "service", "ops")
    lock = pins((ROOT / LOCK).read_text(encoding="utf-8"))
    requirements = "".join(f"{name}=={version}\n" for name, version in lock.items())
    (source / "requirements.txt").write_text(requirements)
    (folder / "template.yaml").write_text(TEMPLATE.format(python=running_python()))
    venv = folder.parent / "sam-venv"
    _uv("venv", "--seed", "--python", sys.executable, str(venv))
    _uv("pip", "install", "--python", str(venv), SAM)
    scripts = str(venv / "bin")
    path = f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"
    # sam asks for a region even where it only builds, and reports home unless told not to.
    quiet = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1"}
    return (f"{scripts}/sam",), {**os.environ, "PATH": path, **quiet}


def _uv(*arguments: str) -> None:
    command = [uv.find_uv_bin(), *arguments, "--system-certs", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"{SAM} could not be installed to compare with:\n{done.stderr}")


def _copy(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)


def _forced(contenders: Mapping[str, Contender]) -> str:
    """The path that a forced build prints: it ends in the digest."""
    contender = contenders["twofold build, warm"]
    contender.prepare(contender.folder)
    return contender.run()


def _as_it_is(folder: Path) -> None:
    pass


def _change(folder: Path) -> None:
    with (folder / "service" / "handler.py").open("a", encoding="utf-8") as file:
        file.write(f"# {time.time_ns()}\n")


def _forget_own(folder: Path) -> None:
    shutil.rmtree(folder / ".twofold" / "artifacts", ignore_errors=True)
    for entry in (folder / ".twofold" / "cache").glob("own-*"):
        entry.unlink()


def _forget_all(folder: Path) -> None:
    shutil.rmtree(folder / ".twofold", ignore_errors=True)


def _forget_downloads(folder: Path) -> None:
    _forget_all(folder)
    shutil.rmtree(folder.parent / "uv-cache", ignore_errors=True)
