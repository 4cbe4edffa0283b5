"""The function's own HTTPS address."""

from __future__ import annotations

from troposphere import GetAtt, Output, Ref, Template, awslambda

from deploy import logical_id
from deploy.decorators.function import ALIAS
from deploy.setting import Setting, one_of
from deploy.template import Deployment
from deploy.template.declarations import declares

PUBLIC = "NONE"

URL_AUTH = Setting(
    "url_auth",
    one_of((PUBLIC, "AWS_IAM")),
    "Who may call the Function URL: NONE lets everybody, AWS_IAM whom IAM policies allow.",
    PUBLIC,
)


@declares(URL_AUTH)
def function_url(template: Template, deployment: Deployment) -> None:
    """A Function URL on the alias; everybody may call it if the setting says so.

    With AWS_IAM a caller's own policy has to allow both actions on the alias.
    """
    auth = deployment.settings[URL_AUTH]
    template.add_resource(
        awslambda.Url(
            logical_id.FUNCTION_URL,
            AuthType=auth,
            # By name: the ARN, an attribute, would make each release look like a new URL.
            TargetFunctionArn=Ref(deployment.function_id),
            Qualifier=ALIAS,
            DependsOn=logical_id.FUNCTION_ALIAS,
        )
    )
    if auth == PUBLIC:
        _let_everybody(template)
    template.add_output(
        Output(
            logical_id.OUTPUT_FUNCTION_URL,
            Description="The Lambda side",
            Value=GetAtt(logical_id.FUNCTION_URL, "FunctionUrl"),
        )
    )


def _let_everybody(template: Template) -> None:
    """Both: AWS Lambda Developer Guide, "Control access to Lambda function URLs"."""
    template.add_resource(
        awslambda.Permission(
            logical_id.FUNCTION_URL_PERMISSION,
            Action="lambda:InvokeFunctionUrl",
            FunctionName=Ref(logical_id.FUNCTION_ALIAS),
            FunctionUrlAuthType=PUBLIC,
            Principal="*",
        )
    )
    template.add_resource(
        awslambda.Permission(
            logical_id.FUNCTION_INVOKE_PERMISSION,
            Action="lambda:InvokeFunction",
            FunctionName=Ref(logical_id.FUNCTION_ALIAS),
            InvokedViaFunctionUrl=True,
            Principal="*",
        )
    )
