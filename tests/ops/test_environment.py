"""The variables of an instance as the scripts read them: what systemd reads, and no more."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ENVIRONMENT = Path(__file__).parents[2] / "ops" / "instance" / "environment.sh"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "plain",
        "postgres://u:p@db/x?a=1&sslmode=require",
        "two words",
        "pa$word",
        "a;exit 9",
        "$(exit 9)",
        "`exit 9`",
        "a=b",
        "* é",
    ],
)
def test_a_value_is_taken_as_it_stands_and_never_run(tmp_path: Path, value: str) -> None:
    file = tmp_path / "instance.env"
    file.write_text(f"# MINE=no\n\nA B=no\nMINE={value}\nLAST=end")
    script = f'set -Eeuo pipefail; source "{ENVIRONMENT}"; read_variables "$1"; printenv MINE LAST'
    ran = subprocess.run(
        ["/bin/bash", "-c", script, "bash", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{value}\nend\n", "")
