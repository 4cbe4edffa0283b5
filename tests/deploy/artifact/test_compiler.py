"""An interpreter of the right minor version is found, and compiles the same everywhere."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.artifact import compiler as module
from deploy.artifact.compiler import Compiler, SyntaxProblem, find_compiler
from deploy.errors import BuildError
from deploy.target import running_python

OTHER = "3.11" if running_python() != "3.11" else "3.12"


@pytest.fixture
def running() -> Compiler:
    return find_compiler(running_python(), "")


def stub(folder: Path, python: str, script: str) -> Path:
    executable = folder / f"python{python}"
    executable.write_text(f"#!/bin/sh\n{script}\n")
    executable.chmod(0o755)
    return executable


def test_the_running_interpreter_compiles_for_its_own_version(running: Compiler) -> None:
    assert running == Compiler(sys.executable, running_python(), sys.version)


def test_another_version_is_looked_for_on_the_path_and_run(tmp_path: Path) -> None:
    refusing, right = tmp_path / "shims", tmp_path / "bin"
    refusing.mkdir()
    right.mkdir()
    stub(refusing, OTHER, "echo no such version >&2; exit 127")
    found = stub(right, OTHER, f"echo '{OTHER}.7 (main)'")
    path = f"{tmp_path / 'none'}:{refusing}:{right}"
    assert find_compiler(OTHER, path) == Compiler(str(found), OTHER, f"{OTHER}.7 (main)")


@pytest.mark.parametrize("script", ["exit 127", "echo 2.7.18", "", "echo '3.1.1'", "kill -SEGV $$"])
def test_no_interpreter_that_runs_is_an_error(tmp_path: Path, script: str) -> None:
    stub(tmp_path, OTHER, script)
    with pytest.raises(BuildError) as refusal:
        find_compiler(OTHER, str(tmp_path))
    assert str(refusal.value) == (
        f"python{OTHER} is needed to compile the artifact for Python {OTHER}, and no such "
        f"interpreter on PATH runs. Install it (for example: uv python install {OTHER}), or set "
        f'python = "{running_python()}" under [tool.twofold] in pyproject.toml.'
    )


def test_bytecode_does_not_depend_on_how_the_work_is_shared(running: Compiler) -> None:
    sources = {f"m{number}.py": f"name_{number % 7} = 'text'\n".encode() for number in range(100)}
    together = running.bytecode(sources)
    backwards = running.bytecode(dict(reversed(sources.items())))
    assert together == backwards
    assert running.bytecode({"m42.py": sources["m42.py"]}) == {"m42.py": together["m42.py"]}


def test_a_syntax_error_is_a_result(running: Compiler) -> None:
    result = running.bytecode({"a.py": b"x = 1\ndef\n"})
    assert result == {"a.py": SyntaxProblem(2, "invalid syntax")}


def test_the_bytecode_lies_where_the_interpreter_looks(running: Compiler) -> None:
    for source in ("a.py", "a/b.py"):
        assert running.bytecode_path(source) == importlib.util.cache_from_source(source)


def test_tracebacks_name_the_file_where_it_lies(running: Compiler, tmp_path: Path) -> None:
    """The path that is compiled in is Lambda's; the import system corrects it elsewhere."""
    source = b"def fail():\n    raise OSError\n"
    compiled = running.bytecode({"m.py": source})["m.py"]
    assert isinstance(compiled, bytes)
    assert f"{module.INSTALLED_AT}/m.py".encode() in compiled
    (tmp_path / "m.py").write_bytes(source)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / running.bytecode_path("m.py")).write_bytes(compiled)
    command = [sys.executable, "-v", "-c", "import m; print(m.fail.__code__.co_filename)"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"code object from '{tmp_path / '__pycache__'}" in done.stderr
    assert done.stdout.strip() == str(tmp_path / "m.py")


def test_an_interpreter_that_fails_is_an_error_with_its_words() -> None:
    false = shutil.which("false")
    assert false
    with pytest.raises(BuildError, match=r"^.*/false failed while compiling:"):
        Compiler(false, "3.13", "").bytecode({"a.py": b""})
