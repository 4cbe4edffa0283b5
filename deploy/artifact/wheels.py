"""EDGE: the locked dependencies as files, chosen by uv for the target.

Only wheels, each with a hash of service.lock; nothing is built, so no code of a
dependency runs here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from deploy.artifact.lock import LOCK, pins
from deploy.artifact.sources import File
from deploy.errors import BuildError
from deploy.target import Target

UV_PLATFORMS: Mapping[tuple[int, int], str] = {
    (2, 26): "manylinux_2_17",
    (2, 34): "manylinux_2_34",
}
"""glibc -> the newest platform that uv knows and that needs no newer glibc.

uv has none between 2.17 and 2.28, so for 2.26 a wheel tagged manylinux_2_24 or _2_26 is
passed over; one for 2.17 (manylinux2014), which nearly every project has, is taken.
"""
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_LEFT_OUT = re.compile(
    r"bin/|\.lock$"  # scripts begin with this machine's path of an interpreter; uv's own lock
    r"|(.*/)?__pycache__/|.*\.py[co]$"  # compiled anew, for the target
    # What an installer writes about this very installation:
    r"|[^/]+\.dist-info/(INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json|uv_build\.json)$"
)
_NO_WHEEL = re.compile(r"Because (\S+?)==(\S+) has no (?:usable )?wheels")
_ABSENT = re.compile(r"Because (?:there is no version of )?(\S+?)(?:==\S+)? (?:was not found|and)")


def installed(uv: str, root: Path, target: Target, folder: Path) -> dict[str, File]:
    """The files of the locked dependencies, by their path in the zip.

    What differs from installation to installation is left out (scripts in bin/, INSTALLER
    ...), also from each RECORD.

    Raises:
        BuildError: a wheel is missing or is not the locked one, or the index cannot be reached.
    """
    refusal = _run(uv, root, target, folder)
    if _is_unreachable(refusal):
        # Everything may yet lie in uv's cache.
        refusal = refusal if _run(uv, root, target, folder, "--offline") else ""
    if refusal:
        raise BuildError(explained(refusal, target, (root / LOCK).read_text(encoding="utf-8")))
    files = dict(_collected(folder))
    return {path: _without_left_out(path, file, files) for path, file in files.items()}


def platform_flags(target: Target) -> list[str]:
    """uv's flags for the platform; none for a laptop's own system, which uv knows best."""
    if target.system != "linux":
        return []
    return ["--python-platform", f"{_MACHINES[target.architecture]}-{UV_PLATFORMS[target.glibc]}"]


def _run(uv: str, root: Path, target: Target, folder: Path, *more: str) -> str:
    """What uv said when it refused; nothing when it installed."""
    command = [uv, "pip", "install", "--target", str(folder), "--requirement", LOCK]
    command += ["--python-version", target.python, *platform_flags(target), *more]
    command += ["--only-binary", ":all:", "--require-hashes", "--no-deps", "--no-compile-bytecode"]
    # What this machine's own store trusts, or uv fails behind a proxy that inspects TLS.
    command += ["--system-certs", "--python", sys.executable, "--no-progress", "--color", "never"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return (done.stderr.strip() or f"exit code {done.returncode}") if done.returncode else ""


def _is_unreachable(refusal: str) -> bool:
    return "Failed to fetch" in refusal or "error sending request" in refusal


def explained(refusal: str, target: Target, lock: str) -> str:
    """uv's refusal, as what is wrong and what to do."""
    if missing := _NO_WHEEL.search(refusal):
        name, version = missing.groups()
        platform = " ".join(platform_flags(target)[1:]) or target.platform
        return (
            f"{name} {version} has no wheel for Python {target.python} "
            f"(cp{target.python.replace('.', '')}) on {platform}. Pin a version that has one in "
            "[project] dependencies and run `make lock`, or set another python or architecture."
        )
    if "Hash mismatch" in refusal:
        return (
            "A wheel is not the one that service.lock names; nothing was taken from it. If the "
            f"index is right, run `make lock`.\n{refusal}"
        )
    if _is_unreachable(refusal) or "network was disabled" in refusal:
        return (
            "The package index cannot be reached and uv's cache does not hold every wheel of "
            f"service.lock. Build again with a network connection.\n{refusal}"
        )
    if absent := _ABSENT.search(refusal):
        name = absent[1]
        version = pins(lock).get(name, "")
        return (
            f"The package index does not have {name} {version}. Change it in [project] "
            f"dependencies and run `make lock`.\n{refusal}"
        )
    return f"uv could not install service.lock:\n{refusal}"


def _collected(folder: Path) -> Iterator[tuple[str, File]]:
    for found in folder.rglob("*"):
        path = found.relative_to(folder).as_posix()
        if not _LEFT_OUT.match(path) and found.is_file():
            yield path, File.read(found)


def _without_left_out(path: str, file: File, files: Mapping[str, File]) -> File:
    if not re.fullmatch(r"[^/]+\.dist-info/RECORD", path):
        return file
    lines = file.content.decode().splitlines(keepends=True)
    kept = (line for line in lines if line.rsplit(",", 2)[0].strip('"') in files)
    return File("".join(sorted(kept)).encode(), executable=False)


def distributions(paths: Iterable[str]) -> list[str]:
    """'name==version' of what the paths hold, from its .dist-info folders."""
    found = {path.split("/")[0] for path in paths if path.endswith(".dist-info/METADATA")}
    parts = (folder.removesuffix(".dist-info").rsplit("-", 1) for folder in found)
    return sorted(f"{name.replace('_', '-').lower()}=={version}" for name, version in parts)
