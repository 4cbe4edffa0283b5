"""What the tests of the laptop's cloud share: a workspace, an embedded AWS, a look at Linux,
twofold itself."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from deploy import project
from deploy.artifact import Artifact, archive
from deploy.aws import Aws
from deploy.composition import composer, topology_settings
from deploy.console import Console
from deploy.local import embedded_aws
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.interrupts import Interrupts
from deploy.local.laptop import for_laptop, furnished
from deploy.local.workspace import Workspace
from deploy.settings import Settings
from deploy.stack.plan import Plan, plan
from deploy.stack.provision import provision, survey
from tests.deploy.local.programs import (
    SECONDS,
    Eventually,
    Processes,
    Program,
    Run,
    copied,
    started,
)


@dataclass(frozen=True)
class Provisioned:
    """A stack in the embedded AWS, and what it was made from."""

    settings: Settings
    aws: Aws
    plan: Plan


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace(Interrupts()) as opened:
        yield opened


@pytest.fixture(scope="session")
def session_workspace() -> Iterator[Workspace]:
    with Workspace(Interrupts()) as opened:
        yield opened


@pytest.fixture(scope="session")
def embedded(session_workspace: Workspace) -> EmbeddedAws:
    """One embedded AWS for all tests that do not mind each other's stacks."""
    started = embedded_aws.start(session_workspace, "eu-central-1")
    started.wait()
    return started


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], object], float], None]:
    """Polls until the condition holds; fails after so many seconds."""

    def wait(condition: Callable[[], object], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"still not so after {seconds} s: {condition}"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def processes_of() -> Callable[[Path], list[str]]:
    """The command lines of the processes that run in a folder or were told of it."""

    def search(folder: Path) -> list[str]:
        return [
            (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            for entry in Path("/proc").glob("[0-9]*")
            if int(entry.name) != os.getpid() and _names(entry, str(folder).encode())
        ]

    return search


def _names(entry: Path, folder: bytes) -> bool:
    try:
        told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        return folder in told or folder in os.readlink(entry / "cwd").encode()  # noqa: PTH115  a gone folder is no path any more
    except OSError:
        return False


@pytest.fixture(scope="session")
def provisioned(embedded: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Provisioned:
    """The project's own topology as a stack in the embedded AWS, with a tiny artifact."""
    settings = for_laptop(project.settings({"region": embedded.region}, topology_settings()))
    content = archive({"tiny.txt": b"small"})
    path = tmp_path_factory.mktemp("artifact") / "tiny.zip"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    artifact = Artifact(path, settings.name, digest, len(content), 5)
    aws = furnished(embedded.endpoint, settings)
    silent = Console(write=lambda _line: None)
    destination = survey(aws, settings, local=True)
    compose = composer(settings, project.ROOT)
    made = plan(settings, artifact, destination.bucket, compose)
    provision(aws, destination, made, silent)
    return Provisioned(settings, aws, made)


@pytest.fixture(scope="module", name="project")
def project_copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, so that its .twofold is the test's own; the cache is shared."""
    return copied(root, tmp_path_factory.mktemp("project"))


@pytest.fixture
def run(project: Path, processes_of: Processes, eventually: Eventually) -> Iterator[Run]:
    """Starts twofold; at the end of the test it and all that it started are gone."""
    begun: list[Program] = []
    # Not pytest's own folder: its path is too long for a socket in it.
    scratch = Path(tempfile.mkdtemp(prefix="tf-"))

    def begin(
        *arguments: str, folder: Path = project, stdout: int | IO[bytes] = subprocess.PIPE
    ) -> Program:
        begun.append(started(arguments, folder, scratch, processes_of, eventually, stdout=stdout))
        return begun[-1]

    yield begin
    for program in begun:
        with suppress(ProcessLookupError):
            program.process.kill()
        program.process.wait(SECONDS)
        eventually(lambda: not processes_of(scratch))
        for pipe in (program.process.stdout, program.process.stderr):
            if pipe is not None:
                pipe.close()
    shutil.rmtree(scratch)
