"""serve.sh: one worker of the release that is current."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVE = Path(__file__).parents[2] / "ops/instance/serve.sh"
DIGEST = "a" * 64
TELL = """import os, sys
print(os.getcwd(), os.environ["SERVICE_DIGEST"], sys.argv[1:], sys.flags.no_site)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    service = tmp_path / "releases" / DIGEST / "service"
    service.mkdir(parents=True)
    (service / "__main__.py").write_text(TELL)
    (tmp_path / "current").symlink_to(f"releases/{DIGEST}")
    return tmp_path


def serve(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", SERVE],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "/nowhere", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_worker_runs_in_the_physical_folder_of_the_release(home: Path) -> None:
    ran = serve(SERVICE_HOME=str(home), SERVICE_PYTHON=sys.executable)
    folder = (home / "releases" / DIGEST).resolve()
    assert ran.stdout == f"{folder} {DIGEST} ['http-server'] 1\n"


def test_nothing_is_written_into_the_release(home: Path) -> None:
    serve(SERVICE_HOME=str(home), SERVICE_PYTHON=sys.executable)
    assert not list(home.rglob("__pycache__"))


def test_a_link_that_leads_nowhere_says_what_to_do(home: Path) -> None:
    (home / "current").unlink()
    ran = serve(SERVICE_HOME=str(home), SERVICE_PYTHON=sys.executable)
    assert ran.returncode == 1
    assert f"{home}/current leads nowhere. Run install-release.sh first." in ran.stderr


@pytest.mark.parametrize("missing", ["SERVICE_HOME", "SERVICE_PYTHON"])
def test_a_missing_variable_is_named(home: Path, missing: str) -> None:
    given = {"SERVICE_HOME": str(home), "SERVICE_PYTHON": sys.executable}
    del given[missing]
    ran = serve(**given)
    assert ran.returncode != 0
    assert f"serve: {missing} is not set." in ran.stderr
