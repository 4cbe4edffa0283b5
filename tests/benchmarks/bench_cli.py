"""What it costs to start `twofold`, against Python itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from tests.benchmarks.report import Row, at_most

TITLE = "Command line: process start to end"
ROOT = Path(__file__).parent.parent.parent
# As the installed script does it; `python -m deploy` finds the package on its path as well.
_SCRIPT = "import sys; from deploy.cli import main; sys.exit(main({arguments!r}))"
_COMMANDS = {
    "python -c pass": "pass",
    "twofold --help": _SCRIPT.format(arguments=["--help"]),
    "twofold build --help": _SCRIPT.format(arguments=["build", "--help"]),
    "import click": "import click",
}


def measure(rounds: int = 40) -> list[Row]:
    """Medians over alternating rounds."""
    spent: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for round_ in range(rounds + 1):
        for name, code in _COMMANDS.items():
            took = _milliseconds(code)
            if round_:  # the first one warms the file cache
                spent[name].append(took)

    def row(name: str, ratio_target: float | None = None) -> Row:
        ratios = zip(spent[name], spent["python -c pass"], strict=True)
        ratio = None if name == "python -c pass" else median(a / b for a, b in ratios)
        target = None if ratio_target is None else at_most(ratio_target)
        note = "" if ratio is None else "of python -c pass"
        return Row(name, median(spent[name]), "ms", ratio, target, note)

    return [
        row("python -c pass"),
        row("twofold --help", 4),
        row("twofold build --help"),
        row("import click"),
    ]


def _milliseconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - start) * 1000
