"""EDGE: whether the artifact's service imports where nothing but the artifact is installed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.compiler import Compiler
from deploy.errors import BuildError
from deploy.member import Member

ENTRY_POINTS = ("service.handler", "service.lambda_function", "service.http_server")
_SCRIPT = Path(__file__).with_name("imports.py")
_SECONDS = 60


def refuse_broken(members: Iterable[Member], folder: Path, compiler: Compiler, name: str) -> None:
    """Passes when both sides' entry points import from the unpacked members.

    Args:
        folder: empty; the members are unpacked there.

    Raises:
        BuildError: the service's error, its file and line.
    """
    _unpack(members, folder)
    command = [compiler.executable, "-I", "-S", str(_SCRIPT), str(folder), *ENTRY_POINTS]
    environment = {**os.environ, "SERVICE_NAME": name}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"Importing the service takes more than {_SECONDS} s.") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()
        raise BuildError(
            f"The interpreter ended with {done.returncode} while it imported the service.\n{said}"
        )
    problem = json.loads(done.stdout)
    if problem:
        raise BuildError(explained(problem))


def explained(problem: Mapping[str, object]) -> str:
    """One import's failure, as its place, the error and, for a missing module, the cure."""
    place = f"{problem['file']} line {problem['line']}" if problem["file"] else problem["module"]
    text = f"The service does not import. {place}: {problem['error']}"
    if "ModuleNotFoundError" not in str(problem["error"]):
        return text
    return (
        f"{text}. If a package has it, add that to [project] dependencies in pyproject.toml and "
        "run `make lock`."
    )


def _unpack(members: Iterable[Member], folder: Path) -> None:
    made: set[str] = set()
    for member in members:
        path = os.path.join(folder, member.path)  # noqa: PTH118 - hundreds of files
        parent = os.path.dirname(path)  # noqa: PTH120 - as above
        if parent not in made:
            os.makedirs(parent, exist_ok=True)  # noqa: PTH103 - as above
            made.add(parent)
        with open(path, "wb") as file:  # noqa: PTH123 - as above
            file.write(member.content)
