"""Why AWS did not do what it was asked, in words that say what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass

_EXPIRED = frozenset(
    [
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
        "LoginRefreshRequired",
        "LoginTokenLoadError",
    ]
)
_INVALID = frozenset(
    [
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AuthFailure",
        "InvalidToken",
    ]
)
_DENIED = frozenset(
    ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"]
)
_UNREACHABLE = frozenset(
    [
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "ConnectionError",
        "ProxyConnectionError",
        "SSLError",
        "InvalidRegionError",
        "UnknownEndpointError",
    ]
)
_THROTTLED = frozenset(
    [
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "RequestThrottled",
        "RequestThrottledException",
        "BandwidthLimitExceeded",
        "429",
        "503",
    ]
)


@dataclass(frozen=True)
class Refusal:
    """One refused request.

    Attributes:
        code: AWS's error code, or the name of the SDK's exception.
        message: what came with it.
        action: the IAM action, such as 'cloudformation:CreateChangeSet'.
        subject: what the request was about, such as "bucket 'artifacts'"; may be empty.
        region: where it was sent; empty when unknown.
        endpoint: where, when it was not AWS's own; empty otherwise.
    """

    code: str
    message: str
    action: str
    subject: str = ""
    region: str = ""
    endpoint: str = ""


def explain(refusal: Refusal) -> str:
    """The message for the reader: what, with which value, what to do next."""
    for codes, text in (
        (frozenset(["NoCredentialsError"]), _no_credentials),
        (frozenset(["PartialCredentialsError", "CredentialRetrievalError"]), _broken_credentials),
        (frozenset(["ProfileNotFound"]), _no_profile),
        (frozenset(["NoRegionError"]), _no_region),
        (_EXPIRED, _expired),
        (_INVALID, _invalid),
        (_DENIED, _denied),
        (_UNREACHABLE, _unreachable),
        (_THROTTLED, _throttled),
    ):
        if refusal.code in codes:
            return text(refusal)
    about = f" for {refusal.subject}" if refusal.subject else ""
    return f"AWS answered {refusal.code} to {refusal.action}{about}: {_sentence(refusal.message)}"


def _no_credentials(_: Refusal) -> str:
    return (
        "No AWS credentials were found. Run 'aws configure' or 'aws sso login', or set "
        "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    )


def _broken_credentials(refusal: Refusal) -> str:
    return (
        f"The AWS credentials cannot be used: {_sentence(refusal.message)} "
        "Run 'aws configure' or check AWS_PROFILE and the AWS_* variables."
    )


def _no_profile(refusal: Refusal) -> str:
    return (
        f"{_sentence(refusal.message)} Set AWS_PROFILE to a profile of your AWS configuration, "
        "or make it with 'aws configure --profile NAME'."
    )


def _no_region(_: Refusal) -> str:
    return (
        "No AWS region is set. Pass --region, set region under [tool.twofold] in "
        "pyproject.toml, or set AWS_DEFAULT_REGION."
    )


def _expired(refusal: Refusal) -> str:
    return (
        f"The AWS credentials have expired ({refusal.code}). "
        "Run 'aws sso login', or renew AWS_SESSION_TOKEN, and run the same command again."
    )


def _invalid(refusal: Refusal) -> str:
    return (
        f"AWS does not accept the credentials ({refusal.code}). Check AWS_PROFILE, "
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN."
    )


def _denied(refusal: Refusal) -> str:
    named = re.search(r"perform:? ([a-z0-9-]+:\w+)", refusal.message)
    action = named[1] if named else refusal.action
    about = f" on {refusal.subject}" if refusal.subject else ""
    foreign = (
        " If the bucket is somebody else's, pass another --bucket."
        if refusal.subject.startswith("s3://")
        else ""
    )
    return (
        f"AWS denied {action}{about}: {_sentence(refusal.message)} "
        f"Allow {action} for these credentials, or use others (AWS_PROFILE).{foreign}"
    )


def _unreachable(refusal: Refusal) -> str:
    place = f"region {refusal.region!r}" if refusal.region else "the region"
    where = f"{refusal.endpoint} (AWS_ENDPOINT_URL)" if refusal.endpoint else place
    return (
        f"AWS cannot be reached for {refusal.action}: {_sentence(refusal.message)} "
        f"Check the network and {where}."
    )


def _throttled(refusal: Refusal) -> str:
    return (
        f"AWS is limiting requests: {refusal.action} was refused with {refusal.code} at every "
        "attempt. Wait a minute and run the same command again."
    )


def _sentence(message: str) -> str:
    text = message.strip() or "no reason was given"
    return text if text.endswith(".") else text + "."
