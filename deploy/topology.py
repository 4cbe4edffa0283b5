"""Where the service runs: the stack at a glance. Yours to edit.

Each entry adds its part to the stack, in this order. Leave one out, and the stack is
without it; what then refers to nothing is an error that says so. `twofold template` prints
the outcome, `twofold provision --help` lists the flags that the entries declare.

An entry of your own is a function; it gets an empty template and the deployment:

    TOPIC_NAME = Setting("topic_name", text(r"[a-z-]+", "a form like 'my-topic'"), "...", "news")

    @declares(TOPIC_NAME)
    def news_topic(template, deployment):
        name = deployment.settings[TOPIC_NAME]
        template.add_resource(sns.Topic("NewsTopic", TopicName=name))
        deployment.function.Environment.Variables["TOPIC"] = Ref("NewsTopic")

It stands before `function` if it changes the function, as this one does; to let the function
or the instances use what it adds, it attaches an iam.PolicyType to logical_id.FUNCTION_ROLE
or logical_id.INSTANCE_ROLE.

A queue of work is an entry like any other; here the service's own worker takes its messages:

    REPORTS = work_queue("reports", runtime="instance")
"""

from __future__ import annotations

from deploy.decorators.artifact_outputs import artifact_outputs
from deploy.decorators.fleet import fleet
from deploy.decorators.function import function
from deploy.decorators.function_url import function_url
from deploy.decorators.instance_role import instance_role
from deploy.decorators.launch_template import launch_template
from deploy.decorators.network import network
from deploy.template import TemplateDecorator

TOPOLOGY: tuple[TemplateDecorator, ...] = (
    # Lambda
    function,  # log group, role, function, version, alias
    function_url,  # its HTTPS address
    # EC2
    network,  # security group
    instance_role,  # log group, role, instance profile
    launch_template,  # image, disk, user data
    fleet,  # Auto Scaling group, release pointer
    # both
    artifact_outputs,  # digest
)
