"""service.lock: the exact versions that ship, and whether pyproject.toml still says the same.

Pure. uv wrote the lock (`make lock`) and checks its hashes; here only names and versions
are read, and only the plain cases of PEP 440 are judged: a build is refused when the lock
is surely old, never on a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from deploy.errors import BuildError

LOCK = "service.lock"
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;)@]*)\)?\s*(;|@)?")
_CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*([^\s,]+)")
_DIRECT = re.compile(
    r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?:(?!^\S).)*?\bpyproject\.toml\)", re.M | re.S
)


def pins(lock: str) -> dict[str, str]:
    """Normalised name (PEP 503) -> version."""
    return {normalised(name): version for name, version in _PIN.findall(lock)}


def normalised(name: str) -> str:
    """One spelling for all that mean the same project (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def refuse_stale(lock: str, dependencies: Sequence[str]) -> None:
    """Passes when the lock has every dependency of [project], at a version it allows.

    Raises:
        BuildError: a line for each that differs.
    """
    pinned = pins(lock)
    problems = [problem for text in dependencies for problem in _problems(text, pinned)]
    problems += _no_longer_wanted(lock, dependencies)
    if problems:
        raise BuildError(
            "service.lock is older than pyproject.toml; run `make lock`:\n  "
            + "\n  ".join(problems)
        )


def _problems(requirement: str, pinned: Mapping[str, str]) -> Iterator[str]:
    match = _REQUIREMENT.match(requirement)
    if not match:
        return
    name, clauses, extra = match.groups()
    version = pinned.get(normalised(name))
    if version is None:
        if extra is None:  # under a marker, the lock may rightly leave it out
            yield f"{name} is a dependency and is not in service.lock"
    elif not all(_allows(sign, wanted, version) for sign, wanted in _CLAUSE.findall(clauses)):
        yield f"{name} is {version} in service.lock, {clauses.strip()} in pyproject.toml"


def _no_longer_wanted(lock: str, dependencies: Sequence[str]) -> Iterator[str]:
    matches = map(_REQUIREMENT.match, dependencies)
    wanted = {normalised(match[1]) for match in matches if match}
    for name in _DIRECT.findall(lock):
        if normalised(name) not in wanted:
            yield f"{name} is in service.lock and is a dependency no more"


def _allows(operator: str, wanted: str, version: str) -> bool:
    """Whether the version passes; also where that takes more of PEP 440 than is known here."""
    if operator in ("==", "===") and not wanted.endswith(".*"):
        return _padded(wanted) == _padded(version) or wanted == version
    low, have = _release(wanted.removesuffix(".*")), _release(version)
    if low is None or have is None:
        return True
    prefix = have[: len(low)] + (0,) * (len(low) - len(have))
    width = max(len(low), len(have))
    low_padded, have_padded = (part + (0,) * (width - len(part)) for part in (low, have))
    return {
        "==": prefix == low,
        "~=": have_padded >= low_padded and prefix[:-1] == low[:-1],
        "!=": (prefix != low) if wanted.endswith(".*") else have_padded != low_padded,
        "<=": have_padded <= low_padded,
        ">=": have_padded >= low_padded,
        "<": have_padded < low_padded,
        ">": have_padded > low_padded,
    }.get(operator, True)


def _release(version: str) -> tuple[int, ...] | None:
    if not re.fullmatch(r"\d+(\.\d+)*", version):
        return None
    return tuple(int(part) for part in version.split("."))


def _padded(version: str) -> object:
    release = _release(version)
    if release is None:
        return version
    while release and release[-1] == 0:
        release = release[:-1]
    return release
