"""EDGE: from a project to its artifact: check the lock, collect, compile, try, write."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.artifact import MANIFEST, UNPACKED_LIMIT, Artifact, manifest
from deploy.artifact.cache import Cache, mark_used, prune, write_whole
from deploy.artifact.compiler import find_compiler
from deploy.artifact.contents import Recipe, dependencies, own
from deploy.artifact.lock import LOCK, refuse_stale
from deploy.artifact.member import Member, pack, zipped
from deploy.artifact.sources import sources
from deploy.artifact.trial import WorkedQueue, refuse_broken
from deploy.artifact.wheels import distributions
from deploy.errors import BuildError
from deploy.target import Target, host

if TYPE_CHECKING:  # it imports click, which nothing here needs
    from deploy.console import Console

_ARTIFACTS_KEPT = 10


def build(
    root: Path,
    target: Target,
    name: str,
    console: Console,
    cache: Path,
    *,
    seconds: int,
    queues: Sequence[WorkedQueue] = (),
    limit: int = UNPACKED_LIMIT,
) -> Artifact:
    """The project's artifact for the target, under `root`/.twofold/artifacts/.

    Equal sources, lock and target give equal bytes, with the same interpreter and zlib, in
    whatever folder, by whomever, whenever. A zip that stands there has passed every check.

    Args:
        cache: usually `root`/.twofold/cache; may be shared and may be deleted at any time.
        seconds: how long an invocation of the function may take.
        queues: those that the service's event handlers must take.
        limit: bytes, unpacked.

    Raises:
        BuildError: the message says which file, dependency or limit, and what to do.
    """
    try:
        compiler = find_compiler(target.python, os.environ.get("PATH", ""))
        recipe = Recipe(root.resolve(), target, name, compiler, Cache(cache.resolve()), console)
        return _build(recipe, seconds, queues, limit)
    except OSError as error:
        raise BuildError(
            f"Cannot build the artifact: {error.filename or root}: {error.strerror or error}."
        ) from error


def _build(recipe: Recipe, seconds: int, queues: Sequence[WorkedQueue], limit: int) -> Artifact:
    shipped = dependencies(recipe, _current_lock(recipe.root))
    service = _service(recipe, shipped)
    members = [*shipped, *service]
    _refuse_oversize(members, limit)
    content = zipped(members)
    digest = hashlib.sha256(content).hexdigest()
    path = recipe.root / ".twofold" / "artifacts" / f"{digest}.zip"
    asked = hashlib.sha256(repr((seconds, queues)).encode()).hexdigest()
    tried = recipe.cache.folder / "tried" / f"{digest}-{asked}"
    if not (_holds(path, content) and tried.exists()):
        _try(recipe, shipped, service, seconds, queues)
        write_whole(path, content)
        write_whole(tried, b"")
        prune(tried.parent, _ARTIFACTS_KEPT)
    mark_used(tried)
    mark_used(path)
    prune(path.parent, _ARTIFACTS_KEPT)
    return Artifact(path, recipe.name, digest, len(content), _unpacked_size(members))


def _service(recipe: Recipe, shipped: Sequence[Member]) -> list[Member]:
    names = distributions(member.path for member in shipped)
    facts = manifest(recipe.name, recipe.target, names)
    return [*own(recipe, sources(recipe.root)), pack(MANIFEST, facts)]


def _current_lock(root: Path) -> str:
    try:
        lock = (root / LOCK).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{root / LOCK} is missing; run `make lock`.") from None
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    refuse_stale(lock, project.get("project", {}).get("dependencies", []))
    return lock


def _try(
    recipe: Recipe,
    shipped: Sequence[Member],
    service: Sequence[Member],
    seconds: int,
    queues: Sequence[WorkedQueue],
) -> None:
    target, console = recipe.target, recipe.console
    if target != host(target.python):
        console.note(
            f"This machine cannot run {target.platform}: whether the service imports is not tried."
        )
        return
    with console.step("Importing the service"):
        refuse_broken(
            shipped,
            service,
            recipe.compiler,
            recipe.name,
            recipe.cache,
            seconds=seconds,
            queues=queues,
        )


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False


def _unpacked_size(members: Sequence[Member]) -> int:
    return sum(member.size for member in members)


def _refuse_oversize(members: Sequence[Member], limit: int) -> None:
    size = _unpacked_size(members)
    if size <= limit:
        return
    largest = _sizes(members).most_common(5)
    lines = (f"{package}: {_megabytes(of_package)}" for package, of_package in largest)
    raise BuildError(
        f"The artifact is {_megabytes(size)} unpacked; Lambda takes at most "
        f"{_megabytes(limit)}. The largest packages:\n  " + "\n  ".join(lines)
    )


def _sizes(members: Sequence[Member]) -> Counter[str]:
    """Bytes by package, as its RECORD claims them; what none claims goes by its folder."""
    owners = _owners(members)
    sizes: Counter[str] = Counter()
    for member in members:
        source = _source_of(member.path)
        sizes[owners.get(source, source.split("/")[0])] += member.size
    return sizes


def _owners(members: Sequence[Member]) -> Mapping[str, str]:
    owners = {}
    for member in members:
        folder, _, file = member.path.partition("/")
        if folder.endswith(".dist-info") and file == "RECORD":
            package = folder.removesuffix(".dist-info").replace("-", " ")
            for line in member.content.decode().splitlines():
                owners[line.rsplit(",", 2)[0].strip('"')] = package
    return owners


def _source_of(path: str) -> str:
    """'a/b.py' for 'a/__pycache__/b.cpython-313.pyc', else the path itself."""
    folder, found, file = path.rpartition("__pycache__/")
    return f"{folder}{file.split('.')[0]}.py" if found else path


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB"
