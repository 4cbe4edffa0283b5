"""EDGE: the interpreter of the target's minor version, which compiles what ships.

Bytecode of another minor version would be ignored at import, so another version than the
one that runs twofold has to be on PATH.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import BuildError
from deploy.target import running_python

INSTALLED_AT = "/var/task"
"""Where Lambda unpacks the zip, so that its tracebacks name the files as they lie there.

On an instance the files lie elsewhere; the import system then puts the right name into the
code objects as it loads them (importlib's `_fix_co_filename`), so both sides' are right.
"""
_SCRIPT = Path(__file__).with_name("bytecode.py")
_WORTH_SPLITTING = 64
_Job = list[tuple[str, bytes]]


@dataclass(frozen=True)
class SyntaxProblem:
    """Why a source does not compile, and on which line."""

    line: int
    message: str


@dataclass(frozen=True)
class Compiler:
    """An interpreter, its minor version, and its full version text, which decides the bytecode."""

    executable: str
    python: str
    version: str

    def bytecode_path(self, source: str) -> str:
        """Where that interpreter looks for the .pyc of 'a/b.py' (PEP 3147)."""
        folder, slash, file = source.rpartition("/")
        tag = f"cpython-{self.python.replace('.', '')}"
        return f"{folder}{slash}__pycache__/{file.removesuffix('.py')}.{tag}.pyc"

    def bytecode(self, sources: Mapping[str, bytes]) -> dict[str, bytes | SyntaxProblem]:
        """Each source's .pyc, or why there is none, by the source's path."""
        paths = list(sources)
        workers = min(os.cpu_count() or 1, 4) if len(paths) > _WORTH_SPLITTING else 1
        shares = [paths[number::workers] for number in range(workers)]
        return dict(self._compiled(shares, sources))

    def _compiled(
        self, shares: Sequence[Sequence[str]], sources: Mapping[str, bytes]
    ) -> Iterator[tuple[str, bytes | SyntaxProblem]]:
        jobs = [[(f"{INSTALLED_AT}/{path}", sources[path]) for path in share] for share in shares]
        for share, results in zip(shares, self._run_all(jobs), strict=True):
            for path, result in zip(share, results, strict=True):
                yield path, SyntaxProblem(*result) if isinstance(result, tuple) else result

    def _run_all(self, jobs: Sequence[_Job]) -> Iterable[list[bytes | tuple[int, str]]]:
        if len(jobs) == 1:
            return [self._run(jobs[0])]
        from concurrent.futures import ThreadPoolExecutor  # 10 ms; only a cold build pays

        with ThreadPoolExecutor(len(jobs)) as pool:
            return list(pool.map(self._run, jobs))

    def _run(self, job: _Job) -> list[bytes | tuple[int, str]]:
        command = [self.executable, "-I", "-S", str(_SCRIPT)]
        # Version 2 of the format is the same in every Python.
        done = subprocess.run(
            command, input=marshal.dumps(job, 2), capture_output=True, check=False
        )
        if done.returncode:
            raise BuildError(
                f"{self.executable} failed while compiling:\n{done.stderr.decode(errors='replace')}"
            )
        results: list[bytes | tuple[int, str]] = marshal.loads(done.stdout)  # noqa: S302 - ours
        return results


def find_compiler(python: str, search_path: str) -> Compiler:
    """The running interpreter if it is of that minor version, else pythonX.Y on the path.

    Each candidate is run: a version manager's shim may be there and yet refuse.

    Raises:
        BuildError: there is none that runs.
    """
    if python == running_python():
        return Compiler(sys.executable, python, sys.version)
    for folder in search_path.split(os.pathsep):
        executable = Path(folder, f"python{python}")
        version = _version_of(executable)
        if version.startswith(f"{python}."):
            return Compiler(str(executable), python, version)
    raise BuildError(
        f"python{python} is needed to compile the artifact for Python {python}, and no such "
        f"interpreter on PATH runs. Install it (for example: uv python install {python}), or set "
        f'python = "{running_python()}" under [tool.twofold] in pyproject.toml.'
    )


def _version_of(executable: Path) -> str:
    if not executable.is_file():
        return ""
    command = [str(executable), "-I", "-S", "-c", "import sys; print(sys.version)"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
