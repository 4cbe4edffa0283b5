"""The fleet: so many instances, replaced one after the other, each gated on its signal."""

from __future__ import annotations

from troposphere import GetAtt, GetAZs, Output, Ref, Template, autoscaling, policies

from deploy import logical_id
from deploy.artifact import ReleasePointer
from deploy.decorators.network import SUBNETS
from deploy.errors import SettingsError
from deploy.setting import Setting, whole
from deploy.settings import Settings
from deploy.template import Deployment
from deploy.template.declarations import declares

MIN_SIZE = Setting(
    "min_size",
    whole(1, 1_000),
    "How many instances the fleet has at least, also while instances are replaced.",
    1,
)
MAX_SIZE = Setting(
    "max_size",
    whole(1, 1_000),
    "How many instances the fleet has at most; one more than min_size lets a new instance "
    "come up before an old one goes.",
    2,
)
BOOT_TIMEOUT = Setting(
    "boot_timeout_minutes",
    whole(1, 60),
    "For how long CloudFormation waits until a new instance has said that it serves.",
    10,
)

# CloudFormation Template Reference, "UpdatePolicy attribute": what would meddle with an
# instance that is on its way in or out.
_SUSPENDED = [
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "ReplaceUnhealthy",
    "ScheduledActions",
]


@declares(MIN_SIZE, MAX_SIZE, BOOT_TIMEOUT, SUBNETS)
def fleet(template: Template, deployment: Deployment) -> None:
    """The Auto Scaling group; its metadata says which release its instances run.

    No DesiredCapacity: an update would set back what scaling has changed since.

    Raises:
        SettingsError: min_size is above max_size.
    """
    settings = deployment.settings
    _check(settings)
    group = autoscaling.AutoScalingGroup(
        logical_id.FLEET,
        MinSize=str(settings[MIN_SIZE]),
        MaxSize=str(settings[MAX_SIZE]),
        LaunchTemplate=autoscaling.LaunchTemplateSpecification(
            LaunchTemplateId=Ref(logical_id.LAUNCH_TEMPLATE),
            Version=GetAtt(logical_id.LAUNCH_TEMPLATE, "LatestVersionNumber"),
        ),
        Tags=_tags(deployment),
        Metadata={logical_id.RELEASE: _pointer(deployment.artifact)},
        CreationPolicy=_creation_policy(settings),
        UpdatePolicy=_update_policy(settings),
    )
    subnets = settings[SUBNETS]
    if subnets:
        group.VPCZoneIdentifier = list(subnets)
    else:
        group.AvailabilityZones = GetAZs("")
    template.add_resource(group)
    template.add_output(
        Output(logical_id.OUTPUT_FLEET, Description="The EC2 side", Value=Ref(group))
    )


def _check(settings: Settings) -> None:
    if settings[MIN_SIZE] > settings[MAX_SIZE]:
        raise SettingsError(
            f"min_size is {settings[MIN_SIZE]} but max_size is {settings[MAX_SIZE]}. "
            "Raise max_size or lower min_size."
        )


def _pointer(artifact: ReleasePointer) -> dict[str, str]:
    """{"Bucket": ..., "Key": ..., "Sha256": ..., "BuildId": ...}"""
    return {
        "Bucket": artifact.bucket,
        "Key": artifact.key,
        "Sha256": artifact.sha256,
        "BuildId": artifact.build_id,
    }


def _tags(deployment: Deployment) -> list[dict[str, object]]:
    tags = {
        "Name": deployment.stack,
        "Service": deployment.service,
        "Stage": deployment.settings.stage,
    }
    return [{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()]


def _creation_policy(settings: Settings) -> policies.CreationPolicy:
    return policies.CreationPolicy(
        ResourceSignal=policies.ResourceSignal(
            Count=settings[MIN_SIZE], Timeout=_duration(settings)
        )
    )


def _update_policy(settings: Settings) -> policies.UpdatePolicy:
    """One at a time; with room below max_size the new one comes before the old one goes."""
    return policies.UpdatePolicy(
        AutoScalingRollingUpdate=policies.AutoScalingRollingUpdate(
            MaxBatchSize=1,
            MinInstancesInService=min(settings[MIN_SIZE], settings[MAX_SIZE] - 1),
            MinSuccessfulInstancesPercent=100,
            PauseTime=_duration(settings),
            SuspendProcesses=_SUSPENDED,
            WaitOnResourceSignals=True,
        )
    )


def _duration(settings: Settings) -> str:
    return f"PT{settings[BOOT_TIMEOUT]}M"
