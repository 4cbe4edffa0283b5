"""From settings, artifact and ops files to a deployment and its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from troposphere import Template

from deploy.artifact import ReleasePointer
from deploy.decorators.function import function_resource
from deploy.settings import Settings
from deploy.template import Deployment, TemplateDecorator, compose
from deploy.topology import TOPOLOGY


def deployment_of(
    settings: Settings, artifact: ReleasePointer, ops: Mapping[str, str]
) -> Deployment:
    """What the decorators get. `settings` were read with the topology's declared settings."""
    return Deployment(settings, artifact, ops, function_resource(settings, artifact))


def compose_stack(
    settings: Settings,
    artifact: ReleasePointer,
    ops: Mapping[str, str],
    topology: Sequence[TemplateDecorator] = TOPOLOGY,
) -> Template:
    """The stack's template; see `deploy.template.compose` for what can be wrong with it."""
    return compose(deployment_of(settings, artifact, ops), topology)
