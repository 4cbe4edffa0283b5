"""pointer.py: the fleet's metadata, checked part by part."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

POINTER = Path(__file__).parents[2] / "ops/instance/pointer.py"
RELEASE = {
    "Bucket": "my-artifacts",
    "Key": f"hello/artifacts/{'a' * 64}.zip",
    "Sha256": "a" * 64,
    "BuildId": "2026-11-21T10:00:00Z",
}


def pointer(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", POINTER], input=text, capture_output=True, text=True, check=False
    )


def test_the_four_parts_come_on_one_line() -> None:
    assert pointer(json.dumps({"Release": RELEASE, "Other": {}})).stdout == (
        "\t".join(RELEASE.values()) + "\n"
    )


@pytest.mark.parametrize("text", ["", "None", "[]", "{}", '{"Release": "latest"}'])
def test_metadata_without_a_release_is_an_error(text: str) -> None:
    ran = pointer(text)
    assert ran.returncode == 1
    assert ran.stderr.startswith(("Expecting value", "expected metadata with a 'Release'; got"))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("Sha256", "A" * 64),
        ("Sha256", "a" * 63),
        ("Bucket", "b; rm -rf /"),
        ("Key", "a\tb"),
        ("Key", "$(id)"),
        ("BuildId", None),
    ],
)
def test_a_malformed_part_is_named(part: str, value: Any) -> None:
    ran = pointer(json.dumps({"Release": RELEASE | {part: value}}))
    assert ran.returncode == 1
    assert f"Release.{part} is {value!r}; expected " in ran.stderr
