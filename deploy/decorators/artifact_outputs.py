"""Which artifact the stack was provisioned with: one for both sides."""

from __future__ import annotations

from troposphere import Output, Template

from deploy import logical_id
from deploy.template import Deployment


def artifact_outputs(template: Template, deployment: Deployment) -> None:
    """The artifact's digest and the build that made it, for `twofold status`."""
    artifact = deployment.artifact
    for key, description, value in (
        (logical_id.OUTPUT_DIGEST, "The artifact's sha256", artifact.sha256),
        (logical_id.OUTPUT_BUILD_ID, "The build that made it", artifact.build_id),
    ):
        template.add_output(Output(key, Description=description, Value=value))
