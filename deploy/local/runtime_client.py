"""A folder with AWS's runtime client and nothing else of this machine's packages.

On Lambda the runtime client lies in /var/runtime, apart from the code; here it is linked
out of the environment that twofold runs in, so that a package which the artifact lacks
is as missing on the laptop as it is on AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePath

from deploy.errors import LocalError

PACKAGE = "awslambdaric"


def link_into(folder: Path) -> None:
    """`folder` holds links to the runtime client and to what it requires.

    Raises:
        LocalError: it is not installed.
    """
    folder.mkdir(parents=True)
    for found in _with_requirements(PACKAGE):
        for name in top_levels(found.files or ()):
            (folder / name).symlink_to(Path(str(found.locate_file(name))).resolve())


def top_levels(files: Iterable[PurePath]) -> set[str]:
    """The packages and modules among the files that a distribution installed."""
    first = {path.parts[0] for path in files}
    return {
        name
        for name in first
        if name not in ("..", "__pycache__") and not name.endswith((".dist-info", ".pth"))
    }


def _with_requirements(name: str) -> list[Distribution]:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise LocalError(
            f"{name}, AWS's runtime client for Lambda, is not installed beside twofold. "
            "Run make demo, or install deploy.lock into this environment."
        ) from None
    needed = [one for one in found.requires or () if "extra ==" not in one]
    names = [match[0] for one in needed if (match := re.match(r"[A-Za-z0-9._-]+", one))]
    return [found, *(one for name in names for one in _with_requirements(name))]
