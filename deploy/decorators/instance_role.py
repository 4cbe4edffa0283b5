"""What an instance may do: fetch a release, read its pointer, say how it went, log."""

from __future__ import annotations

from troposphere import Output, Ref, Sub, Template, iam

from deploy import logical_id
from deploy.decorators.log_group import LOG_RETENTION, log_group
from deploy.decorators.policy import allow, policy, send_to, trust, write_logs
from deploy.template import Deployment
from deploy.template.declarations import declares


@declares(LOG_RETENTION)
def instance_role(template: Template, deployment: Deployment) -> None:
    """Role, instance profile and log group of the instances; nothing here names a release."""
    template.add_resource(log_group(logical_id.INSTANCE_LOGS, "instances", deployment.settings))
    template.add_resource(_role(deployment))
    template.add_resource(
        iam.InstanceProfile(logical_id.INSTANCE_PROFILE, Roles=[Ref(logical_id.INSTANCE_ROLE)])
    )
    template.add_output(
        Output(
            logical_id.OUTPUT_INSTANCE_LOGS,
            Description="The instances' lines",
            Value=Ref(logical_id.INSTANCE_LOGS),
        )
    )


def _role(deployment: Deployment) -> iam.Role:
    """All of this service's artifacts may be read, so that a release changes no role."""
    artifacts = f"{deployment.artifact.bucket}/{deployment.service}/artifacts/*"
    return iam.Role(
        logical_id.INSTANCE_ROLE,
        AssumeRolePolicyDocument=trust("ec2"),
        Policies=[
            policy(
                "Release",
                allow("s3:GetObject", on=Sub(f"arn:${{AWS::Partition}}:s3:::{artifacts}")),
                allow(
                    "cloudformation:DescribeStackResource",
                    "cloudformation:SignalResource",
                    on=Ref("AWS::StackId"),
                ),
            ),
            policy("Logs", write_logs(logical_id.INSTANCE_LOGS)),
            *send_to(deployment.queues),
        ],
    )
