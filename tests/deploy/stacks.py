"""Deployments and templates for the tests of what decorators make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.artifact import ReleasePointer, artifact_key
from deploy.decorators.function import function_resource
from deploy.settings import read
from deploy.template import Deployment, TemplateDecorator, compose
from deploy.template.declarations import declared_settings
from deploy.topology import TOPOLOGY

BUCKET = "my-artifacts"
DIGEST = "3f" * 32
USER_DATA = """#!/usr/bin/env bash

readonly SERVICE='{{ service }}' FLEET={{ fleet }} PORT={{ port }} PYTHON={{ python }}
readonly STACK='{"Ref": "AWS::StackName"}' LOG_GROUP='{{ log_group }}'
readonly URL='{{ bootstrap_url }}' SHA256='{{ bootstrap_sha256 }}' ROOT="${TWOFOLD_ROOT:-}"
"""
OPS = {"cloud-init/user-data.sh": USER_DATA}


def pointer(digest: str = DIGEST, build_id: str = "build-1") -> ReleasePointer:
    return ReleasePointer(BUCKET, artifact_key("hello", digest), digest, build_id)


def deployment(
    topology: Sequence[TemplateDecorator] = TOPOLOGY,
    artifact: ReleasePointer | None = None,
    ops: Mapping[str, str] = OPS,
    **settings: Any,
) -> Deployment:
    """The service 'hello', stage 'dev', on Python 3.13 unless the settings say otherwise."""
    declared = declared_settings((*TOPOLOGY, *topology))
    table = {"name": "hello", "python": "3.13", "stages": {"dev": {}}, **settings}
    chosen = read(table, {}, {}, declared)
    artifact = artifact or pointer()
    return Deployment(chosen, artifact, ops, function_resource(chosen, artifact))


def composed(
    topology: Sequence[TemplateDecorator] = TOPOLOGY,
    artifact: ReleasePointer | None = None,
    ops: Mapping[str, str] = OPS,
    **settings: Any,
) -> dict[str, Any]:
    """The whole template as plain values."""
    return dict(compose(deployment(topology, artifact, ops, **settings), topology).to_dict())


def resource(template: Mapping[str, Any], title: str) -> dict[str, Any]:
    return dict(template["Resources"][title])


def properties(template: Mapping[str, Any], title: str) -> dict[str, Any]:
    return dict(template["Resources"][title]["Properties"])
