"""Guests for tests: one for most of them, booted when the first one asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.errors import LocalError
from deploy.local.guests.requirements import refuse_without
from tests.guests.boots import Boot, booted
from tests.guests.clouds import GuestOf, Project, copied

FIGURES = pytest.StashKey[list[str]]()
Figure = Callable[[str, str], None]


def pytest_itemcollected(item: pytest.Item) -> None:
    """A guest's port is on a loopback address of its own."""
    item.add_marker(pytest.mark.allow_hosts(["127.0.0.0/8"]))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Shows what was measured."""
    for figure in config.stash.get(FIGURES, []):
        terminalreporter.write_line(f"measured: {figure}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of pytest-xdist hands over what it measured."""
    if worker := getattr(session.config, "workeroutput", None):
        worker["figures"] = session.config.stash.get(FIGURES, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """And it is taken over here; a process that crashed has left nothing."""
    figures = node.config.stash.setdefault(FIGURES, [])
    figures += getattr(node, "workeroutput", {}).get("figures", [])


@pytest.fixture(scope="session")
def figure(pytestconfig: pytest.Config) -> Figure:
    """Takes what was measured and how much it was, for the end of the run."""
    figures = pytestconfig.stash.setdefault(FIGURES, [])
    return lambda what, much: figures.append(f"{what}: {much}")


@pytest.fixture(scope="session", autouse=True)
def _able() -> None:
    """Whoever asks for guests where there can be none is told so: nothing is skipped."""
    missing = ""
    try:
        refuse_without()
    except LocalError as error:
        missing = str(error)
    if missing:
        pytest.fail(missing, pytrace=False)


@pytest.fixture(scope="session")
def first_boot(tmp_path_factory: pytest.TempPathFactory, figure: Figure) -> Iterator[Boot]:
    """A guest of this Python on a prepared image, up for all tests."""
    project = Project(copied(tmp_path_factory.mktemp("prepared")))
    with booted(project) as boot:
        figure("prepared image, start to first answer", f"{boot.seconds:.1f} s")
        yield boot


@pytest.fixture
def guest(first_boot: Boot) -> GuestOf:
    """The same guest; it serves the stack's release when a test begins, whatever was before."""
    guest = first_boot.guest
    status = guest.playing.status()
    if status["drift"]:
        guest.playing.release(f"after-{status['release']['sha256'][:8]}")
        guest.install()
        assert guest.playing.status()["drift"] == []
    return guest
