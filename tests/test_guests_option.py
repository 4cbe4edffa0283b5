"""The tests that boot guests are run on demand, and then really."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LEFT_OUT = "they boot Debian guests, which needs root on Linux; run make test-guests"
FLEET = "tests/guests/test_fleet.py"


def pytest_of(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTEST_ADDOPTS": "", **variables}
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("asked", ["tests/guests", FLEET])
def test_without_the_option_they_are_left_out_and_it_is_said(root: Path, asked: str) -> None:
    done = pytest_of(root, "--collect-only", asked, "tests/test_documentation.py")
    files = 1 if asked == FLEET else len(list((root / "tests" / "guests").glob("test_*.py")))
    assert done.returncode == 0
    assert f"left out: tests/guests ({files} files): {LEFT_OUT}\n" in done.stdout
    assert FLEET not in done.stdout


def test_who_does_not_ask_for_them_is_not_told(root: Path) -> None:
    done = pytest_of(root, "--collect-only", "tests/test_documentation.py")
    assert done.returncode == 0
    assert "left out" not in done.stdout


def test_with_the_option_a_machine_that_cannot_boot_guests_fails(root: Path) -> None:
    only_python = str(Path(sys.executable).parent)
    done = pytest_of(root, "--guests", FLEET, "-k", "lost_is_made_up_for", PATH=only_python)
    assert done.returncode == 1
    assert "1 error" in done.stdout
    assert "Guests need " in done.stdout
    assert "left out" not in done.stdout
