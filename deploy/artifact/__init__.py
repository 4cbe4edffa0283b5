"""The artifact: one zip, named by its digest, that Lambda and every instance run.

Pure: from files to bytes, and the values that name them. `build` makes the files.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.artifact.member import pack, zipped
from deploy.target import Target

MANIFEST = "artifact.json"
UNPACKED_LIMIT = 262_144_000
"""Bytes; AWS Lambda Developer Guide, "Lambda quotas": 250 MB, unzipped, with all layers."""


@dataclass(frozen=True)
class Artifact:
    """A built zip: where it lies, its digest, and its sizes in bytes."""

    path: Path
    name: str
    sha256: str
    size: int
    unpacked_size: int

    @property
    def key(self) -> str:
        """Its key in the bucket."""
        return artifact_key(self.name, self.sha256)


@dataclass(frozen=True)
class ReleasePointer:
    """Which artifact a stack runs: where it was uploaded, its digest, which build made it."""

    bucket: str
    key: str
    sha256: str
    build_id: str


def artifact_key(name: str, sha256: str) -> str:
    """The key in the bucket: equal content has one key, so it is uploaded once."""
    return f"{name}/artifacts/{sha256}.zip"


def archive(files: Mapping[str, bytes], executable: Collection[str] = ()) -> bytes:
    """Equal files give equal bytes.

    Entries are sorted and dated 1980-01-01, their modes are 0644 (0755 for the paths in
    `executable`), so the digest, and with it the S3 key, changes only when the content
    does. zlib compresses: another implementation of it (zlib-ng in some distributions)
    finds other, equally good bytes, so such a machine gives equal files another digest.
    That costs one more upload and breaks nothing, so no compressor is pinned for it.

    Raises:
        BuildError: a path is absolute or climbs out of the archive.
    """
    return zipped(
        pack(path, content, executable=path in executable) for path, content in files.items()
    )


def manifest(name: str, target: Target, dependencies: Iterable[str]) -> bytes:
    """artifact.json: what was built, and nothing that varies between equal builds.

    Args:
        dependencies: each as 'name==version'.
    """
    facts = {
        "service": name,
        "python": target.python,
        "platform": target.platform,
        "dependencies": sorted(dependencies),
    }
    return (json.dumps(facts, indent=2) + "\n").encode()
