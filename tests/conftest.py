"""What holds for every test: loopback only, and in CI nothing is left out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test hides a gap, so it fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped:
        print(f"\n{len(skipped)} skipped tests are failures in CI.", file=sys.stderr)  # noqa: T201 - pytest's own output is closed by now
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
