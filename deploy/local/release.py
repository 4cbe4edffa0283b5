"""A release out of the uploaded zip: fetched again, its digest checked, then unpacked."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from pathlib import Path, PurePosixPath

from deploy.artifact import ReleasePointer
from deploy.aws import Aws
from deploy.errors import LocalError

_SHOWN = 12


def fetch(aws: Aws, release: ReleasePointer, folder: Path) -> Path:
    """`folder`/releases/SHA256 holds the release, as on an instance.

    Raises:
        AwsError: it cannot be downloaded.
        LocalError: its bytes are not those that its digest names; nothing is unpacked then.
    """
    installed = folder / "releases" / release.sha256
    if installed.is_dir():
        return installed
    folder.mkdir(parents=True, exist_ok=True)
    artifact = folder / f"{release.sha256}.zip"
    aws.download(release.bucket, release.key, artifact)
    verify(artifact, release)
    partial = folder / "releases" / f".{release.sha256}.partial"
    unpack(artifact, partial)
    partial.rename(installed)
    artifact.unlink()
    return installed


def verify(artifact: Path, release: ReleasePointer) -> None:
    """The file's sha256 is the release's.

    Raises:
        LocalError: it is not.
    """
    with artifact.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != release.sha256:
        raise LocalError(
            f"sha256 of artifact {found[:_SHOWN]} does not match {release.sha256[:_SHOWN]}, "
            f"which the stack names; nothing was unpacked. Delete "
            f"s3://{release.bucket}/{release.key} and provision again."
        )


def unpack(artifact: Path, folder: Path) -> None:
    """The folder holds the zip's files, with mode 0644 or 0755.

    Raises:
        LocalError: it is damaged, or a path in it leads out of the folder or is no plain
            file; nothing is written then.
    """
    try:
        with zipfile.ZipFile(artifact) as archive:
            entries = archive.infolist()
            for entry in entries:
                _refuse_unsafe(entry)
            for entry in entries:
                written = Path(archive.extract(entry, folder))
                executable = entry.is_dir() or entry.external_attr >> 16 & stat.S_IXUSR
                written.chmod(0o755 if executable else 0o644)
    except zipfile.BadZipFile as error:
        raise LocalError(f"The artifact {artifact.name} is damaged: {error}.") from None


def _refuse_unsafe(entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
        raise LocalError(f"The artifact's entry {entry.filename!r} leads out of its folder.")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise LocalError(f"The artifact's entry {entry.filename!r} is no plain file.")
