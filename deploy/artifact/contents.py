"""EDGE: what ships, packed: the locked dependencies, and the service's own files.

Each half is kept by everything that decides it (`cache`), so a build after a changed
handler compiles and packs the service's own files only, and copies the rest.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.artifact import MANIFEST
from deploy.artifact.cache import Cache
from deploy.artifact.compiler import Compiler, SyntaxProblem
from deploy.artifact.member import Member, pack
from deploy.artifact.sources import FOLDERS, File
from deploy.artifact.wheels import installed
from deploy.errors import BuildError
from deploy.target import Target

if TYPE_CHECKING:  # it imports click, which nothing here needs
    from deploy.console import Console

_DECISIVE = ("bytecode", "cache", "compiler", "contents", "member", "sources", "wheels")
"""The modules that decide what a cache entry holds."""


@dataclass(frozen=True)
class Recipe:
    """What is built, out of which project, and with what."""

    root: Path
    target: Target
    name: str
    compiler: Compiler
    cache: Cache
    console: Console


def dependencies(recipe: Recipe, lock: str) -> list[Member]:
    """The dependencies of service.lock for the target, with their bytecode.

    Raises:
        BuildError: see `wheels.installed`; or one has files where the service's own lie.
    """
    target, compiler = recipe.target, recipe.compiler

    def make() -> list[Member]:
        with recipe.console.step("Installing the dependencies"), recipe.cache.scratch() as folder:
            files = installed(_uv(), recipe.root, target, folder)
        _refuse_overwriting(files)
        with recipe.console.step("Compiling the dependencies"):
            return _packed(files, _bytecode(files, compiler), compiler)

    key = _key("dependencies", lock, target.python, target.platform, compiler.version)
    return recipe.cache.members(key, make)


def own(recipe: Recipe, files: Mapping[str, File]) -> list[Member]:
    """The service's own files, with their bytecode.

    Raises:
        BuildError: a line for each that does not compile.
    """
    compiler = recipe.compiler

    def make() -> list[Member]:
        compiled = _bytecode(files, compiler)
        _refuse_uncompiled(compiled, compiler)
        return _packed(files, compiled, compiler)

    facts = [
        (path, files[path].executable, hashlib.sha256(files[path].content).hexdigest())
        for path in sorted(files)
    ]
    return recipe.cache.members(_key("own", json.dumps(facts), compiler.version), make)


def _refuse_overwriting(files: Mapping[str, File]) -> None:
    for path in sorted(files):
        if path.split("/")[0] in (*FOLDERS, MANIFEST):
            raise BuildError(
                f"The dependency {_owner(path, files)} would put {path} where the artifact has the "
                "service's own. Take it out of [project] dependencies and run `make lock`."
            )


def _owner(path: str, files: Mapping[str, File]) -> str:
    for record, file in files.items():
        if record.endswith(".dist-info/RECORD") and f"{path},".encode() in file.content:
            return record.split("/")[0].removesuffix(".dist-info").replace("-", " ")
    return "that owns it"


def _refuse_uncompiled(compiled: Mapping[str, bytes | SyntaxProblem], compiler: Compiler) -> None:
    problems = [
        f"{path} line {result.line}: {result.message}"
        for path, result in sorted(compiled.items())
        if isinstance(result, SyntaxProblem)
    ]
    if problems:
        raise BuildError(
            f"Python {compiler.python} cannot compile the service:\n  " + "\n  ".join(problems)
        )


def _uv() -> str:
    """The uv of this environment; `make` put it there.

    Raises:
        BuildError: it is not there.
    """
    try:
        import uv  # 5 ms; only a cold build pays

        return uv.find_uv_bin()
    except (ImportError, FileNotFoundError):
        raise BuildError(
            f"uv is not in the environment of {sys.executable}. Run twofold with the project's "
            "own environment (`make` sets it up)."
        ) from None


def _key(kind: str, *decisive: str) -> str:
    """A name for what is decided by these, by this code and by this zlib."""
    folder = Path(__file__).parent
    code = [(folder / f"{module}.py").read_text(encoding="utf-8") for module in _DECISIVE]
    text = json.dumps([*decisive, *code, zlib.ZLIB_RUNTIME_VERSION])
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()}"


def _bytecode(files: Mapping[str, File], compiler: Compiler) -> Mapping[str, bytes | SyntaxProblem]:
    return compiler.bytecode({p: f.content for p, f in files.items() if p.endswith(".py")})


def _packed(
    files: Mapping[str, File],
    compiled: Mapping[str, bytes | SyntaxProblem],
    compiler: Compiler,
) -> list[Member]:
    """The files and their bytecode; what does not compile goes without.

    A dependency may ship a template or a test for another Python: it is no error.
    """
    members = [pack(path, file.content, executable=file.executable) for path, file in files.items()]
    for path, pyc in compiled.items():
        if isinstance(pyc, bytes):
            members.append(pack(compiler.bytecode_path(path), pyc))
    return members
