"""event.py: how a run ended, as one event for the log group."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

EVENT = Path(__file__).parents[2] / "ops/instance/event.py"
PARTS = ("ERROR", "it ended", "a" * 64, "build-7", "b" * 64, "i-1", "one\ntwo")


def event(*parts: str) -> tuple[int, dict[str, Any]]:
    """Its time in milliseconds, and its line."""
    given = "".join(f"{part}\0" for part in parts)
    ran = subprocess.run(
        [sys.executable, "-I", EVENT], input=given.encode(), capture_output=True, check=True
    )
    (made,) = json.loads(ran.stdout)
    return made["timestamp"], json.loads(made["message"])


def test_each_part_has_its_name() -> None:
    before = time.time() * 1000
    at, line = event(*PARTS)
    assert before - 1 <= at <= time.time() * 1000
    assert line == {
        "level": "ERROR",
        "logger": "install-release",
        "message": "it ended",
        "release": "a" * 64,
        "build": "build-7",
        "kept": "b" * 64,
        "instance": "i-1",
        "log": "one\ntwo",
    }


def test_of_a_long_log_the_last_8_kib_are_kept() -> None:
    _, line = event(*PARTS[:-1], "ü" * 10_000 + "the end")
    assert line["log"].endswith("üthe end")
    assert 8180 < len(line["log"].encode()) <= 8192


def test_of_a_long_reason_the_beginning_is_kept() -> None:
    _, line = event("ERROR", "because " * 1000, *PARTS[2:])
    assert len(line["message"]) == 1000
