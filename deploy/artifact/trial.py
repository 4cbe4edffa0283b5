"""EDGE: whether the service imports where only the artifact is installed, and fits Lambda."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from deploy.artifact.cache import Cache
from deploy.artifact.compiler import Compiler
from deploy.artifact.member import Member
from deploy.errors import BuildError

ENTRY_POINTS = (
    "service.handler",
    "service.lambda_function",
    "service.http_server",
    "service.worker",
)
_SCRIPT = Path(__file__).with_name("imports.py")
_SECONDS = 30

WorkedQueue = tuple[str, str, str]
"""A work queue's name in the stack, SQS's name for it, and the runtime that works it off."""


def refuse_broken(
    dependencies: Sequence[Member],
    own: Sequence[Member],
    compiler: Compiler,
    name: str,
    cache: Cache,
    *,
    seconds: int,
    queues: Sequence[WorkedQueue] = (),
) -> None:
    """Passes when both sides' entry points import from these members.

    No event handler that may run on Lambda may take longer than an invocation's `seconds`, and
    each of the queues must have one where it is worked off.

    The dependencies stay unpacked from build to build. What fails with them is tried again
    from files unpacked for that alone, so a folder that somebody changed refuses nothing.

    Raises:
        BuildError: the service's error, its file and line; or a line for each such
            handler and each queue without one.
    """
    asked = (str(seconds), json.dumps(queues))
    with cache.scratch() as folder:
        _unpack(own, folder)
        kept = cache.tree(_digest(dependencies), partial(_unpack, dependencies))
        if not _problem([folder, kept], compiler, name, asked):
            return
        _unpack(dependencies, folder)
        if problem := _problem([folder], compiler, name, asked):
            raise BuildError(problem)


def _digest(members: Iterable[Member]) -> str:
    facts = sorted((member.path, member.crc, member.executable) for member in members)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _problem(folders: Sequence[Path], compiler: Compiler, name: str, asked: Sequence[str]) -> str:
    """Why the service would not do from these folders; empty when it would."""
    command = [compiler.executable, "-I", "-S", str(_SCRIPT), ",".join(ENTRY_POINTS)]
    command += [*asked, *map(str, folders)]
    environment = {**os.environ, "SERVICE_NAME": name}
    try:
        done = subprocess.run(
            command,
            cwd=folders[0],
            env=environment,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"Importing the service takes more than {_SECONDS} s."
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()
        return f"The interpreter ended with {done.returncode} while importing the service.\n{said}"
    problem = json.loads(done.stdout)
    if isinstance(problem, list):
        return "\n".join(problem)
    return explained(problem) if problem else ""


def explained(problem: Mapping[str, object]) -> str:
    """One import's failure, as its place, the error and, for a missing module, the cure."""
    place = problem["place"] or problem["module"]
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
