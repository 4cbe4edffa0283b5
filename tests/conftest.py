"""What holds for every test: loopback only, guests on demand, in CI nothing is left out."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.parity.tally import PROPERTY, loaded, together

ROOT = Path(__file__).parent.parent
GUESTS = ROOT / "tests" / "guests"
FIGURES = "figures"  # of a test's report: a line that is wanted whether it passes or not


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--guests` takes in the tests that boot guests."""
    parser.addoption(
        "--guests", action="store_true", help="Boot real Debian guests: Linux, root, minutes."
    )


def pytest_configure() -> None:
    """A shell without job control starts what it runs in the background deaf to Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `--guests` they are left out, however they were named."""
    guests = [item for item in items if item.path.is_relative_to(GUESTS)]
    if guests and not config.getoption("guests"):
        items[:] = [item for item in items if not item.path.is_relative_to(GUESTS)]
        config.hook.pytest_deselected(items=guests)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Says what was compared, and what was left out of the folders that were asked for."""
    if counted := _recorded(terminalreporter, PROPERTY):
        terminalreporter.write_line(str(together(map(loaded, counted))))
    for line in _recorded(terminalreporter, FIGURES):
        terminalreporter.write_line(line)
    asked = [config.invocation_params.dir / one.split("::")[0] for one in config.args]
    files = {
        file
        for file in GUESTS.glob("test_*.py")
        if any(file.is_relative_to(path) for path in asked)
    }
    if files and not config.getoption("guests"):
        terminalreporter.write_line(
            f"left out: tests/guests ({len(files)} files): they boot Debian guests, which needs "
            "root on Linux; run make test-guests"
        )


def _recorded(terminalreporter: pytest.TerminalReporter, wanted: str) -> list[str]:
    """What tests say by `record_property`, whichever process they ran in."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if report.when == "call"
    ]
    properties = [pair for report in reports for pair in report.user_properties]
    return [str(value) for name, value in properties if name == wanted]


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
