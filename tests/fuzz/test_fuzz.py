"""The fuzzers run, and tell what they find; `python -m tests.fuzz` runs them for longer."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import TARGETS
from tests.fuzz.__main__ import main

ROOT = Path(__file__).parent.parent.parent


def fuzzing(corpus: Path, target: str, seconds: int) -> subprocess.Popen[str]:
    command = [*(sys.executable, "-m", "tests.fuzz", target), "--corpus", str(corpus)]
    return subprocess.Popen(
        [*command, "--seconds", str(seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_finds_nothing_and_counts_what_it_tried(target: str, tmp_path: Path) -> None:
    child = fuzzing(tmp_path, target, 5)
    printed, _ = child.communicate(timeout=120)
    assert child.returncode == 0, printed
    executions = int(printed.splitlines()[-1].split()[1])
    assert executions > 200, printed
    assert len(list((tmp_path / "inputs").iterdir())) > 10


def test_ctrl_c_ends_a_run_without_a_traceback(tmp_path: Path) -> None:
    child = fuzzing(tmp_path, "expression", 600)
    assert child.stdout
    assert child.stdout.readline().startswith("Fuzzing: ")
    child.send_signal(signal.SIGINT)
    printed, _ = child.communicate(timeout=60)
    assert (child.returncode, "Traceback" in printed) == (130, False), printed


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--seconds", "0"), "argument --seconds: '0' is no number of seconds from 1 on"),
        (("--seconds=-5",), "argument --seconds: '-5' is no number of seconds from 1 on"),
        (("--corpus", __file__), f"--corpus is {__file__}, which is a file; expected a folder"),
    ],
)
def test_a_wrong_flag_is_said_before_anything_is_tried(
    flags: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["expression", *flags])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {said}\n")
