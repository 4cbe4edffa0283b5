"""The function's HTTPS address."""

from __future__ import annotations

from typing import Any

from deploy.decorators.function import function
from deploy.decorators.function_url import function_url
from tests.deploy.stacks import composed, properties, resource


def made(**settings: Any) -> dict[str, Any]:
    return composed((function, function_url), **settings)


def test_the_url_leads_to_the_alias_and_waits_for_it() -> None:
    template = made()
    assert properties(template, "ServiceUrl") == {
        "AuthType": "NONE",
        "TargetFunctionArn": {"Ref": "ServiceFunction"},
        "Qualifier": "live",
    }
    assert resource(template, "ServiceUrl")["DependsOn"] == "ServiceAlias"


def test_a_public_url_has_both_permissions_on_the_alias() -> None:
    template = made()
    alias = {"Ref": "ServiceAlias"}
    assert properties(template, "ServiceUrlPermission") == {
        "Action": "lambda:InvokeFunctionUrl",
        "FunctionName": alias,
        "FunctionUrlAuthType": "NONE",
        "Principal": "*",
    }
    assert properties(template, "ServiceInvokePermission") == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": alias,
        "InvokedViaFunctionUrl": True,
        "Principal": "*",
    }


def test_with_iam_nobody_is_let_in_by_the_stack() -> None:
    template = made(url_auth="AWS_IAM")
    assert properties(template, "ServiceUrl")["AuthType"] == "AWS_IAM"
    types = {entry["Type"] for entry in template["Resources"].values()}
    assert "AWS::Lambda::Permission" not in types


def test_the_url_is_an_output() -> None:
    value = made()["Outputs"]["FunctionUrl"]["Value"]
    assert value == {"Fn::GetAtt": ["ServiceUrl", "FunctionUrl"]}
