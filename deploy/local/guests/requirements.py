"""What guests need of this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from deploy.errors import LocalError

# Program -> the Debian package that brings it.
PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "ip": "iproute2",
        "mmdebstrap": "mmdebstrap",
        "nsenter": "util-linux",
        "setpriv": "util-linux",
        "slirp4netns": "slirp4netns",
        "systemd-nspawn": "systemd-container",
        "unshare": "util-linux",
    }
)


def refuse_without(
    instead: str = "",
    *,
    system: str = sys.platform,
    user: int | None = None,
    which: Callable[[str], str | None] = shutil.which,
) -> None:
    """This machine can boot guests.

    Args:
        instead: a sentence on what to do where it cannot, for a command that needs no guests.

    Raises:
        LocalError: it cannot; the message names what is missing and how to get it.
    """
    missing = [program for program in PROGRAMS if which(program) is None]
    if system != "linux":
        problem = "Guests are booted by systemd-nspawn, on Linux only."
    elif (os.getuid() if user is None else user) != 0:
        problem = (
            "Guests need root, for namespaces and mounts of their own. "
            "Run the same command with sudo."
        )
    elif missing:
        packages = " ".join(sorted({PROGRAMS[program] for program in missing}))
        problem = (
            f"Guests need {', '.join(missing)}, not found on PATH. "
            f"On Debian and Ubuntu: apt-get install {packages}."
        )
    else:
        return
    raise LocalError(f"{problem} {instead}".rstrip())
