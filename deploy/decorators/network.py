"""Who reaches an instance: the service's port, and SSH only where it was asked for."""

from __future__ import annotations

from typing import Any

from troposphere import Output, Template, ec2

from deploy import logical_id
from deploy.errors import SettingsError
from deploy.setting import Setting, cidr, list_of, optional, text
from deploy.settings import Settings
from deploy.template import Deployment
from deploy.template.declarations import declares
from service.settings import PORT

SSH_PORT = 22

ALLOW_CIDR = Setting(
    "allow_cidr",
    cidr,
    f"From where port {PORT} of an instance may be reached.",
    "0.0.0.0/0",
)
KEY = Setting(
    "key",
    optional(text(r"[ -~]{1,255}", "the name of an EC2 key pair")),
    "The EC2 key pair for SSH to an instance; needs ssh_cidr.",
    None,
    short="k",
)
SSH_CIDR = Setting(
    "ssh_cidr",
    optional(cidr),
    "From where SSH to an instance is let in; needs key.",
    None,
)
VPC = Setting(
    "vpc",
    optional(text(r"vpc-[0-9a-f]{8,17}", "a form like 'vpc-0a1b2c3d'")),
    "The VPC of the instances; needs subnets. Without it, the account's default VPC.",
    None,
)
SUBNETS: Setting[tuple[str, ...]] = Setting(
    "subnets",
    list_of(text(r"subnet-[0-9a-f]{8,17}", "forms like 'subnet-0a1b2c3d'")),
    "The subnets of the instances, in different availability zones; need vpc.",
    (),
)


@declares(ALLOW_CIDR, KEY, SSH_CIDR, VPC, SUBNETS)
def network(template: Template, deployment: Deployment) -> None:
    """The security group of the instances.

    Raises:
        SettingsError: key without ssh_cidr or vpc without subnets, or the other way round.
    """
    settings = deployment.settings
    _both_or_none(settings, KEY, SSH_CIDR)
    _both_or_none(settings, VPC, SUBNETS)
    group = ec2.SecurityGroup(
        logical_id.SECURITY_GROUP,
        GroupDescription=f"Instances of {deployment.stack}",
        SecurityGroupIngress=_ingress(settings),
    )
    if settings[VPC]:
        group.VpcId = settings[VPC]
    template.add_resource(group)
    template.add_output(
        Output(
            logical_id.OUTPUT_INSTANCE_PORT,
            Description="The port of the service on every instance",
            Value=str(PORT),
        )
    )


def _both_or_none(settings: Settings, *pair: Setting[Any]) -> None:
    is_set = [setting for setting in pair if settings[setting]]
    for missing in pair if len(is_set) == 1 else ():
        if missing is not is_set[0]:
            raise SettingsError(
                f"{is_set[0].name} is {_shown(settings[is_set[0]])} but {missing.name} is not "
                f"set. Pass both {pair[0].flag} and {pair[1].flag}, or neither."
            )


def _shown(value: object) -> str:
    return repr(", ".join(value) if isinstance(value, tuple) else value)


def _ingress(settings: Settings) -> list[ec2.SecurityGroupRule]:
    rules = [_from(settings[ALLOW_CIDR], PORT, "The service")]
    ssh_cidr = settings[SSH_CIDR]
    if ssh_cidr is not None:
        rules.append(_from(ssh_cidr, SSH_PORT, "SSH"))
    return rules


def _from(source: str, port: int, description: str) -> ec2.SecurityGroupRule:
    return ec2.SecurityGroupRule(
        CidrIp=source, IpProtocol="tcp", FromPort=port, ToPort=port, Description=description
    )
