"""What will be provisioned: the artifact, where it goes, and the template that names it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from deploy.artifact import Artifact, ReleasePointer
from deploy.errors import SettingsError
from deploy.settings import Settings

# CloudFormation User Guide, "Understand CloudFormation quotas", in bytes.
INLINE_LIMIT = 51_200
SIZE_LIMIT = 1_000_000
BUILD_ID_LENGTH = 12
# An instance refuses any other, because its scripts pass the build ID on: ops/instance/pointer.py.
BUILD_ID = re.compile(r"[A-Za-z0-9_.:+-]+")

Compose = Callable[[ReleasePointer], str]
"""From where the artifact is to the template's text."""


@dataclass(frozen=True)
class Plan:
    """The artifact, its place in the bucket, and the template, as JSON."""

    settings: Settings
    artifact: Artifact
    pointer: ReleasePointer
    template: str

    @property
    def stack(self) -> str:
        return self.settings.stack

    @property
    def template_key(self) -> str:
        """Where a template that is too long for a request lies in the bucket."""
        return f"{self.settings.name}/templates/{self.template_sha256}.json"

    @property
    def template_sha256(self) -> str:
        return hashlib.sha256(self.template.encode()).hexdigest()

    @property
    def fits_inline(self) -> bool:
        return len(self.template.encode()) <= INLINE_LIMIT


def plan(
    settings: Settings, artifact: Artifact, bucket: str, compose: Compose, build_id: str = ""
) -> Plan:
    """What will be provisioned.

    Without a build ID it is the beginning of the digest: the same artifact again then
    makes the same template, and there is nothing to change.

    Raises:
        SettingsError: the build ID is malformed, or the template is larger than
            CloudFormation takes.
    """
    if build_id and not BUILD_ID.fullmatch(build_id):
        raise SettingsError(
            f"--build-id is {build_id!r}; expected letters, digits and any of _ . : + -"
        )
    pointer = ReleasePointer(
        bucket=bucket,
        key=artifact.key,
        sha256=artifact.sha256,
        build_id=build_id or artifact.sha256[:BUILD_ID_LENGTH],
    )
    return Plan(settings, artifact, pointer, _sized(compose(pointer)))


def _sized(template: str) -> str:
    # Without the indentation, so that most templates fit into the request.
    text = json.dumps(json.loads(template), separators=(",", ":"), ensure_ascii=False)
    size = len(text.encode())
    if size > SIZE_LIMIT:
        raise SettingsError(
            f"The template is {size:,} bytes; CloudFormation takes {SIZE_LIMIT:,}. "
            "Take decorators out of deploy/topology.py, or shorten their user data."
        )
    return text
