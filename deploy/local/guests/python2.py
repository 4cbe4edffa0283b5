"""Python 2.7 for a guest: AWS's cfn-hup 1.4-31 needs it, and no Debian since 11 has it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from deploy.errors import LocalError
from deploy.local.guests.mmdebstrap import mmdebstrap
from deploy.local.workspace import end_of_file

_SUITE = "bullseye"
_PACKAGES = ("libpython2.7-stdlib", "python2.7-minimal", "python-pkg-resources")
# The C library and zlib are the guest's own; these it has in a newer version only, beside
# which they may lie.
_FILES = (
    "usr/bin/python2.7",
    "usr/lib/python2.7",
    "usr/lib/*/libcrypto.so.1.1",
    "usr/lib/*/libssl.so.1.1",
)


def install(root: Path, folder: Path, *, rebuild: bool = False) -> None:
    """A root file system of Debian 12 or 13 has /usr/bin/python2.7, as Debian 11 has it.

    The files lie in `folder` afterwards, so the package archive is asked once, or where
    `rebuild` says so. No other program may do the same in `folder` at the same time.

    Raises:
        LocalError: mmdebstrap cannot get them.
    """
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    kept = folder / f"python2.7-{_SUITE}-{recipe}"
    if rebuild or not kept.exists():
        _fetch(kept)
    _copy(kept, root)


def _fetch(kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="python2.7-") as scratch:
        whole, chosen, log = (Path(scratch, name) for name in ("whole", "chosen", "log"))
        _extract(whole, log)
        _copy(whole, chosen)
        for older in kept.parent.glob(f"python2.7-{_SUITE}*"):
            shutil.rmtree(older)
        chosen.rename(kept)


def _extract(folder: Path, log: Path) -> None:
    packages = f"--include={','.join(_PACKAGES)}"
    status = mmdebstrap(("--variant=extract", packages, _SUITE, str(folder)), log)
    if status:
        raise LocalError(
            f"mmdebstrap cannot get Python 2.7 of {_SUITE} for AWS's cfn-hup "
            f"(status {status}). The end of its log:\n{end_of_file(log, 10)}"
        )


def _copy(source: Path, target: Path) -> None:
    for path in (found for pattern in _FILES for found in source.glob(pattern)):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            # That one leads to a file in /etc, which asks for crash reports.
            ignore = shutil.ignore_patterns("sitecustomize.py")
            shutil.copytree(path, place, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy2(path, place)
