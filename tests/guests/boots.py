"""A guest that has booted, and what was seen of it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.console import Console
from deploy.local.guests.image import image
from deploy.local.laptop import cache
from deploy.target import running_python
from tests.guests.clouds import ROOT, GuestOf, Playing, Project, played
from tests.guests.witness import Witness, watched

OTHER_PYTHON = {"3.11": "3.13", "3.13": "3.11"}[running_python()]


@dataclass(frozen=True)
class Boot:
    """`seconds` from the guest's start to its first answer."""

    guest: GuestOf
    witness: Witness
    python: str
    seconds: float

    @property
    def playing(self) -> Playing:
        return self.guest.playing


@contextmanager
def booted(
    project: Project, *flags: str, python: str = running_python(), body: str = ""
) -> Iterator[Boot]:
    """While the block runs, one guest is up that has finished its first boot.

    Args:
        body: what its handler module has besides.
    """
    project.write("first", body=body)
    with ExitStack() as stack:
        with watched(project) as witness:
            command = played(project, "guest", "boot", *flags, ready="Ctrl-C shuts it down.")
            playing = stack.enter_context(command)
            assert playing.heard(" serves after "), "".join(playing.said)
            guest = playing.only()
            guest.status("cloud-init status --wait")
        start = witness.commands("systemd")[0].started
        yield Boot(guest, witness, python, witness.answered - start)


def interpreter(python: str, folder: Path) -> Path:
    """A folder for PATH with the pythonX.Y of the bare image of guests, so of any machine.

    The image's own loader and libraries run it, which this machine's may be too old for.
    """
    root = image(cache(ROOT), python, Console(), prepared=False).root
    (loader,) = root.glob("usr/lib/*/ld-linux-*.so.*")
    script = folder / f"python{python}"
    run = f"{loader} --library-path {loader.parent} {root}/usr/bin/{script.name}"
    script.write_text(f'#!/bin/sh\nexec {run} "$@"\n')
    script.chmod(0o755)
    return folder
