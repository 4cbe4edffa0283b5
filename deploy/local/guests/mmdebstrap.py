"""EDGE: runs mmdebstrap, which as root mounts into the tree that it makes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

# setpriv(1): the end of this program is unshare's; unshare(1): unshare's is that of all others.
# What is mounted is mounted for them only, so whoever removes the tree removes nothing else.
_ALONE = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount-proc", "--propagation", "private", "--pid", "--fork", "--kill-child"),
)


def mmdebstrap(arguments: Sequence[str], log: Path) -> int:
    """Its exit status; what it said is in `log`.

    Nothing that it started runs afterwards, also when this is interrupted or this program is
    killed.
    """
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*_ALONE, "mmdebstrap", "--mode=root", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as making,
    ):
        assert making.stdout is not None  # noqa: S101  a pipe, as asked for above
        try:
            shutil.copyfileobj(making.stdout, output)
        except BaseException:
            making.kill()
            making.stdout.read()  # ends with the last of them
            raise
    return making.returncode
