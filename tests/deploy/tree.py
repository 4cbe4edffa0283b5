"""A copy of the deploy tool in a project of a test's own, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HANDLER = """
import greeting

def lambda_handler(event, context):
    if event == "fail":
        raise RuntimeError("as you wish")
    return {"greeting": greeting.text(), "got": event}
"""
SECONDS = 60


def without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what leads to an account, or to this machine's settings."""
    kept = {k: v for k, v in environment.items() if not k.startswith(("AWS_", "TWOFOLD_"))}
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass
class Tree:
    """The project's folder, and the environment that `twofold` gets."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: without_aws(os.environ))

    def settings(self, table: str) -> None:
        """[tool.twofold] holds this."""
        path = self.root / "pyproject.toml"
        project = path.read_text(encoding="utf-8").split("[tool.twofold]")[0]
        path.write_text(f"{project}[tool.twofold]\n{table}\n", encoding="utf-8")

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **more}
        command = [sys.executable, "-m", "deploy", *arguments]
        return subprocess.Popen(command, cwd=self.root, env=self.environment, **options)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return self.python("-m", "deploy", *arguments, stdin=stdin)

    def python(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def document(self, *arguments: str) -> Any:
        """What `twofold ... --json` printed; it ended well."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def error(self, *arguments: str) -> tuple[int, Sequence[str]]:
        """The exit code and the lines of the error; nothing was printed as a result."""
        done = self.run(*arguments)
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr.splitlines()
