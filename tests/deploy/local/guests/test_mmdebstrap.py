"""What a run of mmdebstrap leaves behind, however it ends: here with a mmdebstrap of the test's."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.guests.mmdebstrap import mmdebstrap
from tests.conftest import ROOT
from tests.deploy.local.guests.secluded import why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

PATIENCE = 60.0
# One of its processes is in a session of its own; each holds the pipe open while it lives.
MAKE = """#!/bin/bash
for last; do :; done
mkdir -p "$last"
mount -t tmpfs none "$last"
exec 3>"$last.pipe"
setsid sleep infinity &
echo ready >&3
wait
"""
CALL = """
import sys
from pathlib import Path
from deploy.local.guests.mmdebstrap import mmdebstrap
mmdebstrap([sys.argv[1]], Path(sys.argv[1] + ".log"))
"""


def program(folder: Path, script: str) -> dict[str, str]:
    """The environment in which mmdebstrap is this script."""
    (folder / "mmdebstrap").write_text(script)
    (folder / "mmdebstrap").chmod(0o755)
    return {"PATH": f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"}


def read(pipe: int) -> bytes:
    """What comes next; empty when nobody is left who could write."""
    assert select.select([pipe], [], [], PATIENCE)[0], "nothing came"
    return os.read(pipe, 100)


def test_its_status_and_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = program(tmp_path, '#!/bin/bash\necho "$@"\necho no >&2\nexit 25\n')
    monkeypatch.setenv("PATH", environment["PATH"])
    assert mmdebstrap(["sid", "tree"], tmp_path / "log") == 25
    assert (tmp_path / "log").read_text() == "--mode=root sid tree\nno\n"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_program_and_its_mounts_are_its_own(
    tmp_path: Path, end: signal.Signals
) -> None:
    tree = tmp_path / "tree"
    os.mkfifo(f"{tree}.pipe")
    pipe = os.open(f"{tree}.pipe", os.O_RDONLY | os.O_NONBLOCK)
    calling = subprocess.Popen(
        [sys.executable, "-c", CALL, str(tree)],
        env=program(tmp_path, MAKE),
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert read(pipe) == b"ready\n"
        assert str(tree) not in Path("/proc/self/mountinfo").read_text()
        calling.send_signal(end)
        calling.wait(PATIENCE)
        assert read(pipe) == b""
    finally:
        os.close(pipe)
        calling.kill()
        calling.wait()
