"""What AWS publishes where a laptop may not reach it, as packages made here.

User data fetches AWS's helper scripts and its CloudWatch agent and checks what it got; a
guest gets these under the same names. In the helper scripts runs AWS's own cfn-hup, the last
release of it that a package index has; the agent is a small one of ours, which ships real
log lines.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from deploy.console import Console
from deploy.errors import LocalError

SCRIPTS = "aws-cfn-bootstrap.tar.gz"
AGENT = "amazon-cloudwatch-agent.deb"
_FILES = Path(__file__).parent / "stand-ins"
_SCRIPTS_FOLDER = "aws-cfn-bootstrap-2.0-39"  # the form that user data expects
_AGENT_HOME = "opt/aws/amazon-cloudwatch-agent/bin"
_DATED = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())
# File here -> file in the package.
_AGENT_CONTROL = {"control": "control", "postinst.sh": "postinst"}
_AGENT_FILES = {
    "amazon-cloudwatch-agent-ctl.sh": f"{_AGENT_HOME}/amazon-cloudwatch-agent-ctl",
    "shipper.py": f"{_AGENT_HOME}/amazon-cloudwatch-agent",
    "amazon-cloudwatch-agent.service": "etc/systemd/system/amazon-cloudwatch-agent.service",
}


def packages(cache: Path, console: Console) -> Mapping[str, Path]:
    """Name -> file; equal inputs give equal bytes, so a settled sha256 stays true.

    AWS's cfn-hup comes from the package index the first time, and out of `cache` then.

    Raises:
        LocalError: it cannot be had.
    """
    folder = cache / "guests" / "stand-ins"
    folder.mkdir(parents=True, exist_ok=True)
    contents = {SCRIPTS: _scripts(_downloads(folder, console)), AGENT: _agent()}
    return {name: _written(folder / name, content) for name, content in contents.items()}


def _written(path: Path, content: bytes) -> Path:
    """Whoever reads the file meanwhile finds the whole of it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
        partial.write(content)
    Path(partial.name).chmod(0o644)
    return Path(partial.name).rename(path)


def _downloads(folder: Path, console: Console) -> list[Path]:
    """What requirements.txt names, as it was published."""
    requirements = _FILES / "aws-cfn-bootstrap" / "requirements.txt"
    kept = folder / f"downloads-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    if not kept.exists():
        scratch = tempfile.TemporaryDirectory(dir=folder)
        with console.step("Fetching AWS's cfn-hup"), scratch:
            _pip_download(requirements, Path(scratch.name, "all"))
            if not kept.exists():  # another program may have been quicker
                Path(scratch.name, "all").rename(kept)
    return sorted(kept.iterdir())


def _pip_download(requirements: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps"]
    command += ["--no-build-isolation", "--dest", str(folder), "--requirement", str(requirements)]
    # With ours for setuptools, so that no code of a download runs.
    told = {**os.environ, "PYTHONPATH": str(_FILES), "PIP_USE_PEP517": "1"}
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(
            f"pip cannot download AWS's cfn-hup for the guests (status {done.returncode}). "
            "Try again when the package index can be reached. It said:\n"
            + "\n".join(done.stderr.splitlines()[-10:])
        )


def _scripts(downloads: list[Path]) -> bytes:
    files = {
        path.relative_to(_FILES / "aws-cfn-bootstrap").as_posix(): path.read_bytes()
        for path in (_FILES / "aws-cfn-bootstrap").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    for download in downloads:
        unpacked = _unpacked(download)
        files |= {f"share/cfn-hup/{path}": content for path, content in unpacked}
    placed = {f"{_SCRIPTS_FOLDER}/{path}": content for path, content in files.items()}
    return gzip.compress(_tar(placed), mtime=0)


def _unpacked(download: Path) -> Iterator[tuple[str, bytes]]:
    """Path -> content, in a folder named by project and version."""
    if download.suffix == ".whl":
        project = "-".join(download.name.split("-")[:2])
        with zipfile.ZipFile(download) as wheel:
            for name in wheel.namelist():
                yield f"{project}/{name}", wheel.read(name)
        return
    with tarfile.open(download) as archive:
        for member in archive:
            if (file := archive.extractfile(member)) is not None:
                yield member.name, file.read()


def _agent() -> bytes:
    """A Debian package, deb(5)."""
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar": _tar(_placed(_AGENT_CONTROL)),
        "data.tar": _tar(_placed(_AGENT_FILES)),
    }
    return b"!<arch>\n" + b"".join(_ar_member(name, content) for name, content in parts.items())


def _placed(places: Mapping[str, str]) -> dict[str, bytes]:
    source = _FILES / "amazon-cloudwatch-agent"
    return {place: (source / name).read_bytes() for name, place in places.items()}


def _ar_member(name: str, content: bytes) -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{0o100644:<8o}{len(content):<10}`\n"
    return header.encode() + content + b"\n" * (len(content) % 2)


def _tar(files: Mapping[str, bytes]) -> bytes:
    """Root's files with their folders, sorted; dated 1980-01-01, the first day of a zip file."""
    written = io.BytesIO()
    folders = {str(folder) for path in files for folder in PurePosixPath(path).parents}
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted({*files, *folders} - {"."}):
            content = files.get(path, b"")
            entry = tarfile.TarInfo(path)
            entry.type = tarfile.REGTYPE if path in files else tarfile.DIRTYPE
            entry.size = len(content)
            entry.mtime = _DATED
            entry.mode = 0o755 if content.startswith(b"#!") or entry.isdir() else 0o644
            entry.uname = entry.gname = "root"
            archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()
