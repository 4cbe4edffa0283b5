"""start.sh boots a guest again when it reboots, and never when it is told to stop.

A script stands for systemd-nspawn; no namespace is made.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.local.guests import guest
from tests.deploy.local.guests.machines import PATIENCE, eventually
from tests.deploy.local.guests.secluded import why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())  # it makes control groups

START = Path(guest.__file__).parent / "start.sh"

# It ends with the status that the test has written down, when it gets TERM or at once.
NSPAWN = """#!/bin/sh
trap 'exit "$(cat "$SITE/status")"' TERM
echo "$$" >>"$SITE/booted"
while [ ! -e "$SITE/leave" ]; do sleep 0.05; done
rm "$SITE/leave"
exit "$(cat "$SITE/status")"
"""
# TERM comes after systemd-nspawn was started and before the script knows its process.
EARLY = """
early() {
  until [[ -e $SITE/booted ]]; do sleep 0.05; done
  kill -TERM $$
}
trap '[[ $BASH_COMMAND != "nspawn=$""!" ]] || early' DEBUG
"""


@dataclass
class Site:
    """A running start.sh."""

    folder: Path
    environment: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["bash", str(START), str(self.folder), "image", "name"],
            env={**self.environment, **environment},
            start_new_session=True,
        )
        self.running.append(process)
        eventually(lambda: guest.told(self.folder / "go", "10.0.7.3\n"))
        return process

    def leaves_with(self, status: int) -> None:
        (self.folder / "status").write_text(f"{status}\n")

    @property
    def booted(self) -> list[int]:
        """The process of each boot."""
        path = self.folder / "booted"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name, script in {"systemd-nspawn": NSPAWN, "ip": "", "mount": ""}.items():
        (binaries / name).write_text(script or "#!/bin/sh\n")
        (binaries / name).chmod(0o755)
    (tmp_path / "system" / "etc").mkdir(parents=True)
    os.mkfifo(tmp_path / "go")
    environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "SITE": str(tmp_path)}
    site = Site(tmp_path, environment)
    yield site
    for process in site.running:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ended(pid: int) -> Callable[[], bool]:
    def look() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    return look


def test_a_guest_that_reboots_is_booted_again(site: Site) -> None:
    site.leaves_with(133)
    start = site.start()
    eventually(lambda: len(site.booted) == 1)
    (site.folder / "leave").touch()
    eventually(lambda: len(site.booted) == 2)
    site.leaves_with(0)
    start.terminate()
    assert start.wait(PATIENCE) == 0


def test_a_guest_that_is_told_to_stop_while_it_reboots_is_not_booted_again(site: Site) -> None:
    site.leaves_with(133)
    start = site.start()
    eventually(lambda: len(site.booted) == 1)
    start.terminate()
    eventually(lambda: start.poll() is not None or len(site.booted) > 1)
    assert len(site.booted) == 1
    assert start.wait(PATIENCE) == 133


def test_a_guest_that_is_told_to_stop_as_it_boots_stops(site: Site) -> None:
    (site.folder / "early").write_text(EARLY)
    site.leaves_with(0)
    start = site.start(BASH_ENV=str(site.folder / "early"))
    assert start.wait(PATIENCE) == 0
    (booted,) = site.booted
    eventually(ended(booted))
