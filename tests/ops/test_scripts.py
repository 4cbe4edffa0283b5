"""Every script in ops/ as text: what can be said without running it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

OPS = Path(__file__).parents[2] / "ops"
SHELL = sorted(OPS.rglob("*.sh"))
ENTRY_POINTS = [
    "install-release.sh",
    "configure.sh",
    "supervisorctl.sh",
    "serve.sh",
    "user-data.sh",
]


def by_name(path: Path) -> str:
    return path.name


def test_shellcheck_has_nothing_to_say() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    found = subprocess.run([shellcheck, *SHELL], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("script", SHELL, ids=by_name)
def test_a_shell_parses_it(script: Path) -> None:
    shell = "sh" if script.name == "serve.sh" else "bash"
    found = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_is_executable_and_stops_at_the_first_error(name: str) -> None:
    (script,) = OPS.rglob(name)
    strict = "set -eu\n" if name == "serve.sh" else "set -Eeuo pipefail\n"
    assert os.access(script, os.X_OK)
    assert strict in script.read_text()


def test_nothing_upgrades_the_image() -> None:
    """An upgrade at boot would give every instance other packages, and a longer start."""
    assert not [path for path in SHELL if "upgrade" in path.read_text()]
