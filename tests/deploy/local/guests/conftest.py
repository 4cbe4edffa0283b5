"""What the tests of guests share: the packages that a guest is given."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from deploy.console import Console
from deploy.local.guests.stand_ins import SCRIPTS, packages
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def cache() -> Path:
    """The checkout's own, so that nothing is fetched twice."""
    return ROOT / ".twofold" / "cache"


@pytest.fixture(scope="session")
def made(cache: Path) -> Mapping[str, Path]:
    return packages(cache, Console(write=lambda _line: None))


@pytest.fixture(scope="session")
def installed(made: Mapping[str, Path]) -> Callable[[Path], Path]:
    """Installs the helper scripts as user data does, without an index; the cfn-hup of it."""

    def install(folder: Path) -> Path:
        # The distribution's own settings of pip are not a guest's.
        alone = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
        make = [sys.executable, "-m", "venv", str(folder)]
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
        install += ["--disable-pip-version-check", str(made[SCRIPTS])]
        for command in (make, install):
            done = subprocess.run(command, env=alone, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        return folder / "bin" / "cfn-hup"

    return install
