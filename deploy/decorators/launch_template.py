"""What an instance is: image, type, disk, and the script of its first boot."""

from __future__ import annotations

import re
from collections.abc import Mapping

from troposphere import Base64, GetAtt, Ref, Sub, Tag, Template, ec2

from deploy import logical_id
from deploy.decorators.network import KEY
from deploy.errors import SettingsError
from deploy.expression import user_data
from deploy.expression.placeholder import Value
from deploy.setting import Setting, optional, text, whole
from deploy.settings import Settings
from deploy.target import PYTHONS
from deploy.template import Deployment
from deploy.template.declarations import declares
from deploy.template.queue import addresses, worked_on_instances
from service.settings import PORT

USER_DATA = "cloud-init/user-data.sh"

_ADDRESS = r"https?://[A-Za-z0-9._~:/%@+-]+"
_sha256_or_none = text(r"([0-9a-f]{64})?", "64 hexadecimal digits")

INSTANCE_TYPE = Setting(
    "instance_type",
    optional(text(r"[a-z0-9-]+\.[a-z0-9-]+", "a form like 't3.micro'")),
    "The type of the instances; without it t3.micro, or t4g.micro for arm64.",
    None,
)
IMAGE = Setting(
    "image",
    optional(text(r"ami-[0-9a-f]{8,17}", "a form like 'ami-0a1b2c3d'")),
    "Pins the instances' image, of the same distribution; without it, the newest public one "
    "at the time that the launch template changes.",
    None,
)
DISK = Setting(
    "disk_gb",
    whole(8, 16_384),
    "The size of an instance's encrypted root volume in GB.",
    8,
)
BOOTSTRAP_URL = Setting(
    "bootstrap_url",
    text(_ADDRESS, "the address of a .tar.gz archive"),
    "Where an instance gets AWS's cfn helper scripts (cfn-hup) from.",
    # CloudFormation Template Reference, "Release history for CloudFormation helper
    # scripts": the first release that needs no setuptools, which Python 3.12 has no more.
    "https://s3.amazonaws.com/cloudformation-examples/aws-cfn-bootstrap-py3-2.0-39.tar.gz",
)
BOOTSTRAP_SHA256 = Setting(
    "bootstrap_sha256",
    _sha256_or_none,
    "The sha256 that the helper scripts' archive must have; empty checks its structure only.",
    "",
)
AGENT_URL = Setting(
    "agent_url",
    optional(text(_ADDRESS, "the address of a .deb package")),
    "Where an instance gets Amazon's CloudWatch agent from; without it, Amazon's newest, from a "
    "bucket in the stack's region.",
    None,
)
AGENT_SHA256 = Setting(
    "agent_sha256",
    _sha256_or_none,
    "The sha256 that the agent's package must have; empty checks its name only.",
    "",
)

_DEFAULT_TYPES = {"x86_64": "t3.micro", "arm64": "t4g.micro"}
_DEB_PROCESSORS = {"x86_64": "amd64", "arm64": "arm64"}
# The root device of each distribution's images; another name would add a second volume
# and leave the root volume as it is in the image.
_ROOT_DEVICES = {"Debian": "/dev/xvda", "Ubuntu": "/dev/sda1"}


@declares(INSTANCE_TYPE, IMAGE, DISK, KEY, BOOTSTRAP_URL, BOOTSTRAP_SHA256, AGENT_URL, AGENT_SHA256)
def launch_template(template: Template, deployment: Deployment) -> None:
    """The launch template. Nothing in it names a release: new code replaces no instance.

    Raises:
        SettingsError: the instance type's processor is not the artifact's, or the user
            data is missing, malformed or too long.
    """
    settings = deployment.settings
    launched = ec2.LaunchTemplateData(
        ImageId=_image(settings),
        InstanceType=_instance_type(settings),
        IamInstanceProfile=ec2.IamInstanceProfile(Arn=GetAtt(logical_id.INSTANCE_PROFILE, "Arn")),
        SecurityGroupIds=[GetAtt(logical_id.SECURITY_GROUP, "GroupId")],
        MetadataOptions=ec2.MetadataOptions(
            HttpEndpoint="enabled", HttpTokens="required", HttpPutResponseHopLimit=1
        ),
        BlockDeviceMappings=[_root_volume(settings)],
        TagSpecifications=[_tags("volume", deployment)],
        UserData=Base64(_user_data(deployment)),
    )
    if settings[KEY] is not None:
        launched.KeyName = settings[KEY]
    template.add_resource(
        ec2.LaunchTemplate(logical_id.LAUNCH_TEMPLATE, LaunchTemplateData=launched)
    )


def _image(settings: Settings) -> str:
    """CloudFormation looks the parameter up; each partition and region has its own value."""
    target = settings.target
    parameter = PYTHONS[target.python].image_parameters[target.architecture]
    return settings[IMAGE] or f"{{{{resolve:ssm:{parameter}}}}}"


def _instance_type(settings: Settings) -> str:
    target = settings.target
    chosen = settings[INSTANCE_TYPE] or _DEFAULT_TYPES[target.architecture]
    if _architecture(chosen) != target.architecture:
        raise SettingsError(
            f"instance_type is {chosen!r}, which is {_architecture(chosen)}; architecture is "
            f"{target.architecture!r}. Pass {INSTANCE_TYPE.flag} or --architecture so that "
            "they agree."
        )
    return chosen


def _architecture(instance_type: str) -> str:
    """Amazon EC2 Instance Types guide, "Naming conventions": g after the generation is Arm."""
    attributes = re.match(r"[a-z]+\d+([a-z]*)", instance_type)
    is_arm = instance_type.startswith("a1.") or (attributes and "g" in attributes[1])
    return "arm64" if is_arm else "x86_64"


def _root_volume(settings: Settings) -> ec2.LaunchTemplateBlockDeviceMapping:
    distribution = PYTHONS[settings.target.python].image.split()[0]
    return ec2.LaunchTemplateBlockDeviceMapping(
        DeviceName=_ROOT_DEVICES[distribution],
        Ebs=ec2.EBSBlockDevice(
            Encrypted=True, VolumeType="gp3", VolumeSize=settings[DISK], DeleteOnTermination=True
        ),
    )


def _tags(kind: str, deployment: Deployment) -> ec2.TagSpecifications:
    tags = [Tag("Name", deployment.stack), Tag("Service", deployment.service)]
    return ec2.TagSpecifications(ResourceType=kind, Tags=tags)


def _user_data(deployment: Deployment) -> object:
    if USER_DATA not in deployment.ops:
        raise SettingsError(f"ops/{USER_DATA} is missing; an instance cannot boot without it.")
    return user_data(deployment.ops[USER_DATA], _names(deployment), f"ops/{USER_DATA}")


def _names(deployment: Deployment) -> Mapping[str, Value]:
    """The build-time names of the user data."""
    settings = deployment.settings
    return {
        "service": settings.name,
        "stage": settings.stage,
        "fleet": logical_id.FLEET,
        "port": PORT,
        "python": settings.target.python,
        "queues": addresses(deployment.queues),
        "worker_queues": worked_on_instances(deployment.queues),
        "log_group": Ref(logical_id.INSTANCE_LOGS),
        "bootstrap_url": settings[BOOTSTRAP_URL],
        "bootstrap_sha256": settings[BOOTSTRAP_SHA256],
        "agent_url": settings[AGENT_URL] or _agent_url(settings),
        "agent_sha256": settings[AGENT_SHA256],
    }


def _agent_url(settings: Settings) -> Sub:
    """Debian and Ubuntu share one package; a bucket in each region holds it.

    Amazon CloudWatch User Guide, "Verifying the signature of the CloudWatch agent package".
    """
    processor = _DEB_PROCESSORS[settings.target.architecture]
    return Sub(
        "https://amazoncloudwatch-agent-${AWS::Region}.s3.${AWS::Region}.${AWS::URLSuffix}"
        f"/debian/{processor}/latest/amazon-cloudwatch-agent.deb"
    )
