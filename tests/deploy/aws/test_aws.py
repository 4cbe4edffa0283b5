"""The AWS edge, against moto where it is faithful and over real HTTP where it is not."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from deploy.aws import Aws
from deploy.aws.running import LaunchTemplateState
from deploy.errors import AwsError
from tests.deploy.wire import answering, refusing

KEYS = ("test", "test")
CONTENT = b"the artifact"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment nor a file of this machine names credentials or a region."""
    for name in (
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws() -> Iterator[Aws]:
    with mock_aws():
        yield Aws("eu-central-1")


def refused(aws: Aws) -> str:
    with pytest.raises(AwsError) as caught:
        aws.identity()
    return str(caught.value)


@pytest.mark.usefixtures("no_configuration")
def test_no_credentials_is_one_clear_error() -> None:
    assert refused(Aws("eu-central-1")).startswith("No AWS credentials were found.")


@pytest.mark.usefixtures("no_configuration")
def test_no_region_is_one_clear_error() -> None:
    assert refused(Aws(credentials=KEYS)).startswith("No AWS region is set. Pass --region")


@pytest.mark.usefixtures("no_configuration")
def test_an_unknown_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    message = refused(Aws("eu-central-1"))
    assert message.startswith("The config profile (nobody) could not be found. Set AWS_PROFILE")


@pytest.mark.parametrize(
    ("code", "status", "text"),
    [
        ("ExpiredToken", 403, "The AWS credentials have expired (ExpiredToken)."),
        ("InvalidClientTokenId", 403, "AWS does not accept the credentials"),
        ("AccessDenied", 403, "AWS denied sts:GetCallerIdentity: because."),
    ],
)
def test_credentials_that_aws_refuses_are_explained(code: str, status: int, text: str) -> None:
    with answering(status, refusing(code)) as endpoint:
        assert refused(Aws("eu-central-1", endpoint, credentials=KEYS)).startswith(text)


def test_an_endpoint_that_nobody_listens_on_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    message = refused(Aws("eu-central-1", endpoint, credentials=KEYS))
    assert message.startswith("AWS cannot be reached for sts:GetCallerIdentity")
    assert message.endswith(f"Check the network and {endpoint} (AWS_ENDPOINT_URL).")


def test_an_endpoint_that_is_no_address_is_an_error_of_its_own() -> None:
    message = refused(Aws("eu-central-1", "nonsense", credentials=KEYS))
    assert message == "Invalid endpoint: nonsense. Check AWS_ENDPOINT_URL and the region."


def test_the_endpoint_of_the_environment_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(403, refusing("ExpiredToken")) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert "expired" in refused(Aws("eu-central-1", credentials=KEYS))


def test_a_missing_bucket_says_how_to_make_it(aws: Aws) -> None:
    with pytest.raises(AwsError) as caught:
        aws.bucket_region("nobodys")
    assert str(caught.value) == (
        "Bucket 'nobodys' does not exist. "
        "Create it with: aws s3 mb s3://nobodys --region eu-central-1"
    )


def test_somebody_elses_bucket_is_not_offered_to_be_made() -> None:
    with answering(403) as endpoint, pytest.raises(AwsError) as caught:
        Aws("eu-central-1", endpoint, credentials=KEYS).bucket_region("theirs")
    assert str(caught.value) == (
        "AWS denied s3:ListBucket on s3://theirs: Forbidden. Allow s3:ListBucket for these "
        "credentials, or use others (AWS_PROFILE). If the bucket is somebody else's, pass "
        "another --bucket."
    )


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_bucket_is_made_in_the_region_once(region: str) -> None:
    with mock_aws():
        aws = Aws(region)
        aws.make_bucket("artifacts-of-mine")
        aws.make_bucket("artifacts-of-mine")
        assert aws.bucket_region("artifacts-of-mine") == region


def test_what_is_uploaded_is_there_and_comes_back(aws: Aws, tmp_path: Path) -> None:
    aws.make_bucket("artifacts")
    assert not aws.has_object("artifacts", "a.zip", len(CONTENT), SHA256)
    aws.upload("artifacts", "a.zip", CONTENT, SHA256)
    assert aws.has_object("artifacts", "a.zip", len(CONTENT), SHA256)
    aws.download("artifacts", "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("other", [b"tampered zip", b"shorter"])
def test_other_bytes_under_the_key_are_refused(aws: Aws, other: bytes) -> None:
    aws.make_bucket("artifacts")
    aws.upload("artifacts", "a.zip", other, hashlib.sha256(other).hexdigest())
    with pytest.raises(AwsError) as caught:
        aws.has_object("artifacts", "a.zip", len(CONTENT), SHA256)
    assert str(caught.value).startswith("s3://artifacts/a.zip does not hold what its name says")
    assert str(caught.value).endswith("Delete it with: aws s3 rm s3://artifacts/a.zip")


def test_a_download_of_nothing_names_the_object(aws: Aws, tmp_path: Path) -> None:
    aws.make_bucket("artifacts")
    with pytest.raises(AwsError, match="NoSuchKey to s3:GetObject for s3://artifacts/a"):
        aws.download("artifacts", "a.zip", tmp_path / "a.zip")


def test_a_reply_of_a_function_that_breaks_off_is_an_error_of_aws() -> None:
    with answering(200, '{"a', missing=9) as endpoint, pytest.raises(AwsError) as caught:
        Aws("eu-central-1", endpoint, credentials=KEYS).invoke("hello", b"{}")
    assert " to lambda:InvokeFunction for hello: " in str(caught.value)


def test_what_is_not_there_is_none(aws: Aws) -> None:
    assert aws.stack("hello-dev") is None
    assert aws.function("hello") is None
    assert aws.fleet("hello") is None


def test_a_launch_template_says_what_an_instance_is_started_with(aws: Aws) -> None:
    launched = {
        "ImageId": "ami-0123456789abcdef0",
        "InstanceType": "t3.micro",
        "UserData": base64.b64encode(b"#!/bin/bash\n").decode(),
        "MetadataOptions": {"HttpTokens": "required"},
    }
    ec2 = boto3.client("ec2", region_name=aws.region)
    made = ec2.create_launch_template(LaunchTemplateName="one", LaunchTemplateData=launched)
    found = aws.launch_template(made["LaunchTemplate"]["LaunchTemplateId"], "1")
    assert found == LaunchTemplateState(
        "ami-0123456789abcdef0", "t3.micro", "", b"#!/bin/bash\n", tokens_required=True
    )


def test_the_members_of_a_fleet_have_addresses(aws: Aws) -> None:
    ec2 = boto3.client("ec2", "eu-central-1")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName="service",
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"},
    )
    boto3.client("autoscaling", "eu-central-1").create_auto_scaling_group(
        AutoScalingGroupName="fleet",
        LaunchTemplate={"LaunchTemplateName": "service", "Version": "1"},
        MinSize=1,
        MaxSize=3,
        DesiredCapacity=2,
        AvailabilityZones=["eu-central-1a"],
    )
    fleet = aws.fleet("fleet")
    assert fleet is not None
    assert (fleet.minimum, fleet.desired, fleet.maximum) == (1, 2, 3)
    assert [one.state for one in fleet.instances] == ["InService", "InService"]
    assert all(one.address for one in fleet.instances)
    assert {one.launch_template_version for one in fleet.instances} == {"1"}


def test_an_instance_that_ec2_does_not_know_yet_has_no_address_and_hides_no_other(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    ec2 = boto3.client("ec2", "eu-central-1")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    (known,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    new = "i-0123456789abcdef0"
    member = {"LifecycleState": "InService", "HealthStatus": "Healthy"}
    members = [{**member, "InstanceId": one} for one in (known["InstanceId"], new)]
    sizes = {"DesiredCapacity": 2, "MinSize": 1, "MaxSize": 2}
    group = {"AutoScalingGroupName": "fleet", **sizes, "Instances": members}
    monkeypatch.setattr(aws, "_described_group", lambda _: group)
    fleet = aws.fleet("fleet")
    assert fleet is not None
    assert [(one.id, bool(one.address)) for one in fleet.instances] == [
        (known["InstanceId"], True),
        (new, False),
    ]


def test_the_address_of_an_object_carries_no_signature(aws: Aws) -> None:
    url = aws.object_url("artifacts", "hello/templates/a.json")
    assert url.startswith("https://artifacts.s3")
    assert url.endswith("amazonaws.com/hello/templates/a.json")


def test_the_address_of_an_object_on_a_laptop_needs_no_dns() -> None:
    aws = Aws("eu-central-1", "http://127.0.0.1:1234", credentials=KEYS)
    assert aws.object_url("artifacts", "a.json") == "http://127.0.0.1:1234/artifacts/a.json"


def test_the_lines_of_a_log_come_back_in_their_order(endpoint: str, region: str) -> None:
    key, secret = KEYS
    logs = boto3.client(
        "logs",
        region,
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
    logs.create_log_group(logGroupName="/twofold/logged")
    logs.create_log_stream(logGroupName="/twofold/logged", logStreamName="i-1/bootstrap")
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName="/twofold/logged",
        logStreamName="i-1/bootstrap",
        logEvents=[
            {"timestamp": now, "message": "one\ntwo\n"},
            {"timestamp": now + 1, "message": "three"},
        ],
    )
    aws = Aws(region, endpoint, credentials=KEYS)
    assert aws.log_lines("/twofold/logged", "i-1/bootstrap") == ("one", "two", "three")
    assert aws.log_lines("/twofold/logged", "i-2/bootstrap") == ()
