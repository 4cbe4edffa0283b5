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
        "slirp4netns": "slirp4netns",
        "systemd-nspawn": "systemd-container",
        "unshare": "util-linux",
    }
)
_INSTEAD = "Without guests the instance is played by supervisord: leave --guests out."


def refuse_without(
    system: str = sys.platform,
    user: int | None = None,
    which: Callable[[str], str | None] = shutil.which,
) -> None:
    """This machine can boot guests.

    Raises:
        LocalError: it cannot; the message names what is missing and how to get it.
    """
    if system != "linux":
        raise LocalError(f"Guests are booted by systemd-nspawn, on Linux only. {_INSTEAD}")
    if (os.getuid() if user is None else user) != 0:
        raise LocalError(
            "Guests need root, for namespaces and mounts of their own. "
            f"Run the same command with sudo. {_INSTEAD}"
        )
    missing = [program for program in PROGRAMS if which(program) is None]
    if missing:
        packages = " ".join(sorted({PROGRAMS[program] for program in missing}))
        raise LocalError(
            f"Guests need {', '.join(missing)}, not found on PATH. "
            f"On Debian and Ubuntu: apt-get install {packages}. {_INSTEAD}"
        )
