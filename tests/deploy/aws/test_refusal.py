"""Each way in which AWS refuses has one message that says what to do next."""

from __future__ import annotations

import pytest

from deploy.aws.refusal import Refusal, explain

ACTION = "cloudformation:CreateChangeSet"


def explained(code: str, message: str = "because", **more: str) -> str:
    return explain(Refusal(code, message, ACTION, **more))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("NoCredentialsError", "No AWS credentials were found. Run 'aws configure'"),
        ("PartialCredentialsError", "The AWS credentials cannot be used: because. Run"),
        ("ProfileNotFound", "because. Set AWS_PROFILE to a profile of your AWS configuration"),
        ("NoRegionError", "No AWS region is set. Pass --region, set region under [tool.twofold]"),
        ("ExpiredToken", "The AWS credentials have expired (ExpiredToken). Run 'aws sso login'"),
        ("UnauthorizedSSOTokenError", "The AWS credentials have expired"),
        ("InvalidClientTokenId", "AWS does not accept the credentials (InvalidClientTokenId)."),
        ("EndpointConnectionError", f"AWS cannot be reached for {ACTION}: because. Check"),
        ("Throttling", f"AWS is limiting requests: {ACTION} was refused with Throttling at every"),
        ("SomethingNew", f"AWS answered SomethingNew to {ACTION}: because."),
    ],
)
def test_each_cause_has_its_message(code: str, text: str) -> None:
    assert explained(code).startswith(text)


def test_denied_names_the_action_that_aws_names() -> None:
    message = "User: arn:aws:iam::1:user/ada is not authorized to perform: iam:PassRole on x"
    assert explained("AccessDenied", message) == (
        f"AWS denied iam:PassRole: {message}. "
        "Allow iam:PassRole for these credentials, or use others (AWS_PROFILE)."
    )


def test_denied_without_a_word_names_the_action_of_the_request_and_its_subject() -> None:
    assert explained("403", "Forbidden", subject="s3://artifacts/x.zip").startswith(
        f"AWS denied {ACTION} on s3://artifacts/x.zip: Forbidden."
    )


def test_unreachable_names_the_region_or_the_endpoint() -> None:
    assert explained("ConnectTimeoutError", region="eu-x-1").endswith(
        "Check the network and region 'eu-x-1'."
    )
    assert explained("ConnectTimeoutError", endpoint="http://127.0.0.1:1").endswith(
        "Check the network and http://127.0.0.1:1 (AWS_ENDPOINT_URL)."
    )
