"""A guest as an instance of a launch template: what its metadata says, and its user data."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from deploy import logical_id
from deploy.aws import Aws
from deploy.aws.running import LaunchTemplateState
from deploy.errors import StackError
from deploy.local.embedded_aws import ACCOUNT
from deploy.local.guests.guest import Ground, Guest, free_address
from deploy.local.guests.metadata import Described
from deploy.stack import StackResource

# Each guest has a network of its own, so all may have the same address in it.
_PRIVATE_ADDRESS = "10.0.7.100"


@dataclass(frozen=True)
class Launcher:
    """Makes the instances of a stack's launch template.

    Args:
        ground: what they share.
        aws: the laptop's.
        stack: the stack's name or ARN.
        architecture: of the artifact, as in `x86_64`.
    """

    ground: Ground
    aws: Aws
    stack: str
    architecture: str

    def __call__(self, version: str) -> Guest:
        """A guest of this version of the launch template, not started yet.

        Raises:
            StackError: the stack has no launch template or no role for instances.
            LocalError: no address is free for it.
        """
        resources = {one.logical_id: one for one in self.aws.resources(self.stack)}
        template = self.aws.launch_template(
            _physical_id(resources, logical_id.LAUNCH_TEMPLATE), version
        )
        role = _physical_id(resources, logical_id.INSTANCE_ROLE)
        return Guest(self.ground, self._described(template, role))

    def _described(self, template: LaunchTemplateState, role: str) -> Described:
        return Described(
            instance=f"i-{secrets.token_hex(9)[:17]}",
            image=template.image,
            type=template.type,
            architecture=self.architecture,
            region=self.aws.region,
            zone=f"{self.aws.region}a",
            account=ACCOUNT,
            private_address=_PRIVATE_ADDRESS,
            public_address=free_address(),
            role=role,
            user_data=template.user_data,
            tokens_required=template.tokens_required,
            key=f"ASIA{secrets.token_hex(8).upper()}",
            secret=secrets.token_urlsafe(30),
            session=secrets.token_urlsafe(60),
        )


def _physical_id(resources: dict[str, StackResource], name: str) -> str:
    found = resources.get(name)
    if found is None or not found.physical_id:
        raise StackError(f"The stack has no {name}. Put it back into deploy/topology.py.")
    return found.physical_id
