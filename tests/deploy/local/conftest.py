"""What the tests of the laptop's cloud share: a workspace, an embedded AWS, a look at Linux."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import embedded_aws
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.interrupts import Interrupts
from deploy.local.workspace import Workspace


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

    def wait(condition: Callable[[], object], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"still not so after {seconds} s: {condition}"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def processes_with() -> Callable[[str], list[int]]:
    """The IDs of the processes that run and whose environment holds the text."""

    def search(text: str) -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if text.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
        return [pid for pid in found if pid != os.getpid()]

    return search
