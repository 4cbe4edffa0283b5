"""serve.sh: one worker of the release that it is part of."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVE = Path(__file__).parents[2] / "ops/instance/serve.sh"
DIGEST = "a" * 64
TELL = """import os, sys
print(os.getcwd(), os.environ["SERVICE_DIGEST"], sys.argv[1:], sys.flags.no_site)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Holds one release, which is current."""
    release = tmp_path / "releases" / DIGEST
    (release / "service").mkdir(parents=True)
    (release / "service" / "__main__.py").write_text(TELL)
    (release / "ops/instance").mkdir(parents=True)
    (release / "ops/instance/serve.sh").write_bytes(SERVE.read_bytes())
    (tmp_path / "current").symlink_to(f"releases/{DIGEST}")
    return tmp_path


def serve(release: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", release / "ops/instance/serve.sh", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "/nowhere", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_worker_runs_in_the_physical_folder_of_the_release(home: Path) -> None:
    folder = (home / "releases" / DIGEST).resolve()
    for way in (home / "current", folder):
        ran = serve(way, SERVICE_PYTHON=sys.executable)
        assert ran.stdout == f"{folder} {DIGEST} ['http-server'] 1\n"


def test_a_queue_worker_is_the_same_with_another_command(home: Path) -> None:
    folder = (home / "releases" / DIGEST).resolve()
    variables = {"SERVICE_PYTHON": sys.executable, "SERVICE_WORKER_QUEUES": "orders"}
    ran = serve(home / "current", "worker", **variables)
    assert ran.stdout == f"{folder} {DIGEST} ['worker'] 1\n"


def test_a_queue_worker_with_nothing_to_do_lives_longer_than_a_failed_start(home: Path) -> None:
    begun = time.monotonic()
    ran = serve(home / "current", "worker", SERVICE_PYTHON=sys.executable)
    assert (ran.returncode, "['worker']" in ran.stdout) == (77, True)
    assert time.monotonic() - begun > 1.5


def test_nothing_is_written_into_the_release(home: Path) -> None:
    serve(home / "current", SERVICE_PYTHON=sys.executable)
    assert not list(home.rglob("__pycache__"))


def test_without_an_interpreter_it_says_which_variable_is_missing(home: Path) -> None:
    ran = serve(home / "current")
    assert ran.returncode != 0
    assert "serve: SERVICE_PYTHON is not set." in ran.stderr
