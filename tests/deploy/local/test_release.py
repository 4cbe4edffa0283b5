"""What runs is what was uploaded, byte for byte, or nothing is unpacked."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deploy.artifact import ReleasePointer, archive
from deploy.errors import AwsError, LocalError
from deploy.local.release import fetch, unpack
from deploy.settings import BUCKET

FILES = {"service/handler.py": b"app = 1\n", "ops/instance/serve.sh": b"#!/bin/sh\n"}


def upload(provisioned: Any, content: bytes, digest: str = "") -> ReleasePointer:
    """Under a key and a digest that may promise something else than the content."""
    found = hashlib.sha256(content).hexdigest()
    bucket = provisioned.settings[BUCKET]
    key = f"hello/artifacts/{digest or found}.zip"
    provisioned.aws.upload(bucket, key, content, found)
    return ReleasePointer(bucket, key, digest or found, "build")


def test_the_uploaded_files_are_there(provisioned: Any, tmp_path: Path) -> None:
    content = archive(FILES, executable=["ops/instance/serve.sh"])
    release = upload(provisioned, content)
    installed = fetch(provisioned.aws, release, tmp_path)
    assert installed == tmp_path / "releases" / release.sha256
    assert {name: (installed / name).read_bytes() for name in FILES} == FILES
    assert (installed / "ops/instance/serve.sh").stat().st_mode & 0o777 == 0o755
    assert (installed / "service/handler.py").stat().st_mode & 0o777 == 0o644


def test_what_is_there_already_is_not_fetched_again(provisioned: Any, tmp_path: Path) -> None:
    release = upload(provisioned, archive(FILES))
    first = fetch(provisioned.aws, release, tmp_path)
    assert fetch(None, release, tmp_path) == first  # type: ignore[arg-type]  # nothing to ask


def test_a_tampered_artifact_is_refused_before_it_is_unpacked(
    provisioned: Any, tmp_path: Path
) -> None:
    content = archive({**FILES, "evil.py": b"evil"})
    promised = hashlib.sha256(archive(FILES)).hexdigest()
    release = upload(provisioned, content, promised)
    with pytest.raises(LocalError) as caught:
        fetch(provisioned.aws, release, tmp_path)
    found = hashlib.sha256(content).hexdigest()
    assert str(caught.value) == (
        f"sha256 of artifact {found[:12]} does not match {promised[:12]}, which the stack names; "
        f"nothing was unpacked. Delete s3://{release.bucket}/{release.key} and provision again."
    )
    assert not (tmp_path / "releases").exists()


def test_a_missing_artifact_is_named(provisioned: Any, tmp_path: Path) -> None:
    release = ReleasePointer(provisioned.settings[BUCKET], "hello/gone.zip", "0" * 64, "build")
    with pytest.raises(AwsError, match=r"hello/gone\.zip"):
        fetch(provisioned.aws, release, tmp_path)


def zipped(name: str, attributes: int = 0o100644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("first.txt", "harmless")
        entry = zipfile.ZipInfo(name)
        entry.external_attr = attributes << 16
        file.writestr(entry, "target")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped("../evil.txt"), "The artifact's entry '../evil.txt' leads out of its folder."),
        (zipped("/etc/evil"), "The artifact's entry '/etc/evil' leads out of its folder."),
        (zipped("a/../../evil"), "The artifact's entry 'a/../../evil' leads out of its folder."),
        (zipped("link", 0o120777), "The artifact's entry 'link' is no plain file."),
        (b"no zip", "The artifact file.zip is damaged: File is not a zip file."),
    ],
)
def test_an_unsafe_zip_leaves_nothing(tmp_path: Path, content: bytes, said: str) -> None:
    artifact = tmp_path / "file.zip"
    artifact.write_bytes(content)
    with pytest.raises(LocalError) as caught:
        unpack(artifact, tmp_path / "out" / "side")
    assert str(caught.value) == said
    assert not (tmp_path / "out").exists()
