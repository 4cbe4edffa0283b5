"""The image of a guest: Debian as its archive has it, made once per Python version and kept.

Two kinds. A bare one has what Debian's cloud images have that matters here (systemd,
cloud-init, curl), so user data has everything else to install. A prepared one has the
packages that user data installs as well, so that a boot takes seconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from deploy.console import Console
from deploy.errors import LocalError
from deploy.local.guests import python2
from deploy.local.guests.mmdebstrap import mmdebstrap
from deploy.local.workspace import end_of_file
from deploy.target import PYTHONS

_SUITES = {"Debian 12": "bookworm", "Debian 13": "trixie"}
# openssh-server: without it cloud-init fails to make the host's keys, and says so.
_BARE = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "iproute2",
    "python3",
    "ca-certificates",
    "cloud-init",
    "curl",
    "openssh-server",
    "unzip",
)
PREPARED = ("awscli", "python3-venv", "supervisor")
"""What user data installs."""

_FILES = Path(__file__).parent / "image"
_MADE = "made.json"


@dataclass(frozen=True)
class Image:
    """A root file system that guests lie over; nothing is ever written to it.

    `made` is when, `seconds` is how long that took.
    """

    python: str
    suite: str
    prepared: bool
    root: Path
    made: datetime
    seconds: float


def image(
    cache: Path, python: str, console: Console, *, prepared: bool = True, rebuild: bool = False
) -> Image:
    """The cached image, made first where there is none, or where `rebuild` says so.

    Raises:
        LocalError: no guest can be made for this Python version, mmdebstrap failed, or
            guests that run lie over the one to be rebuilt.
    """
    recipe = _Recipe(python, _suite(python), prepared)
    folder = cache / "guests" / recipe.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / f"{recipe.name}.lock"):
        if rebuild or not (folder / _MADE).exists():
            if _is_held(folder):
                raise LocalError(f"Guests run on {_root(folder)}. End them, then rebuild it.")
            kind = "prepared" if prepared else "bare"
            with console.step(f"Making the {kind} guest image of {PYTHONS[python].image}"):
                _make(recipe, folder, rebuild=rebuild)
    return _read(recipe, folder)


@contextmanager
def held(made: Image) -> Iterator[None]:
    """While the block runs, no program removes the image."""
    with (made.root.parents[1] / _MADE).open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _root(folder: Path) -> Path:
    return folder / "private" / "root"


def _is_held(folder: Path) -> bool:
    with suppress(FileNotFoundError), (folder / _MADE).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def find(cache: Path, python: str, *, prepared: bool = True) -> Image | None:
    """The cached image, or None; nothing is made.

    Raises:
        LocalError: no guest can be made for this Python version.
    """
    recipe = _Recipe(python, _suite(python), prepared)
    folder = cache / "guests" / recipe.name
    return _read(recipe, folder) if (folder / _MADE).exists() else None


def _suite(python: str) -> str:
    name = PYTHONS[python].image
    if name not in _SUITES:
        raise LocalError(
            f"Python {python} runs on {name}, and guests are made of Debian only. "
            f"Run twofold under Python 3.11 or 3.13 for guests; without them, {python} will do."
        )
    return _SUITES[name]


@dataclass(frozen=True)
class _Recipe:
    python: str
    suite: str
    prepared: bool

    @property
    def kind(self) -> str:
        return f"{self.suite}-{'prepared' if self.prepared else 'bare'}"

    @property
    def packages(self) -> tuple[str, ...]:
        return _BARE + PREPARED if self.prepared else _BARE

    @property
    def name(self) -> str:
        """Another recipe is another image: what is cached is never out of date."""
        digest = hashlib.sha256(repr(self).encode() + repr(self.packages).encode())
        for path in (*sorted(_FILES.iterdir()), Path(python2.__file__)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return f"{self.kind}-{digest.hexdigest()[:12]}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two programs do not make one image at the same time; the later one waits."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(recipe: _Recipe, folder: Path, *, rebuild: bool) -> None:
    start = time.monotonic()
    partial = folder.with_suffix(".partial")
    _remove(partial)
    partial.mkdir()
    try:
        _make_root(recipe, partial)
        with _locked(folder.parent / "python2.7.lock"):
            python2.install(_root(partial), folder.parent, rebuild=rebuild)
        made = {
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - start, 1),
        }
        (partial / _MADE).write_text(json.dumps(made) + "\n", encoding="utf-8")
        for older in folder.parent.glob(f"{recipe.kind}-????????????"):
            if not _is_held(older):
                _remove(older)
        partial.rename(folder)
    finally:
        _remove(partial)


def _make_root(recipe: _Recipe, folder: Path) -> None:
    log = folder / "mmdebstrap.log"
    private = _root(folder).parent
    private.mkdir()  # open at first: apt downloads as a user of its own
    status = mmdebstrap(
        (
            "--variant=minbase",
            f"--include={','.join(recipe.packages)}",
            f'--customize-hook=/bin/bash {quote(str(_FILES / "customize.sh"))} "$1" {recipe.suite}',
            recipe.suite,
            str(_root(folder)),
        ),
        log,
    )
    if status:
        raise LocalError(
            f"mmdebstrap cannot make an image of {recipe.suite} (status {status}). "
            f"The end of its log:\n{end_of_file(log, 10)}"
        )
    private.chmod(0o700)  # in it are setuid programs of root's that get no updates


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _read(recipe: _Recipe, folder: Path) -> Image:
    made = json.loads((folder / _MADE).read_text(encoding="utf-8"))
    return Image(
        python=recipe.python,
        suite=recipe.suite,
        prepared=recipe.prepared,
        root=_root(folder),
        made=datetime.fromisoformat(made["made"]),
        seconds=made["seconds"],
    )
