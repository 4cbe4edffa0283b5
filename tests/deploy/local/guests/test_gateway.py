"""AWS as guests and the tool see it, before a real embedded AWS, asked by real clients."""

import base64
import hashlib
import http.client
import json
import os
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from deploy import project
from deploy.artifact import Artifact, archive, artifact_key
from deploy.aws import Aws
from deploy.composition import composer, topology_settings
from deploy.connection import LOCAL_CREDENTIALS
from deploy.console import Console
from deploy.errors import AwsError, LocalError
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.guests.gateway import gateway
from deploy.local.guests.played import Member
from deploy.settings import BUCKET
from deploy.stack import STACK_TYPE, StackEvent
from deploy.stack.deletion import delete
from deploy.stack.hints import Hints
from deploy.stack.plan import plan
from deploy.stack.provision import provision, survey
from tests.deploy.local.guests.served import served
from tests.deploy.local.guests.upstreams import PATIENCE, listening, received

REGION = "eu-central-1"
MEMBER = Member(
    instance="i-0123456789abcdef0",
    state="InService",
    launch_template_version="7",
    private_address="10.0.7.100",
    public_address="127.77.0.7",
    zone="eu-central-1b",
    type="t3.micro",
    image="ami-0abc",
)


@dataclass
class Scripted:
    """Plays what a test says, and notes what it was told."""

    groups: dict[str, Sequence[Member]] = field(default_factory=dict)
    statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    events: dict[str, Sequence[StackEvent]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    refusal: str = ""
    signals: list[tuple[str, ...]] = field(default_factory=list)
    on_executed: Callable[[str, str], None] = lambda _stack, _change_set: None

    def members(self, group: str) -> Sequence[Member]:
        return self.groups.get(group, ())

    def signalled(self, stack: str, logical_id: str, instance: str, status: str) -> str:
        self.signals.append((stack, logical_id, instance, status))
        return self.refusal

    def shown_stack_status(self, stack: str, status: str) -> str:
        return self.statuses.get((stack, status), status)

    def more_events(self, stack: str) -> Sequence[StackEvent]:
        return self.events.get(stack, ())

    def held_back(self, stack: str, event: StackEvent) -> bool:
        return f"{stack} {event.logical_id} {event.status}" in self.held

    def executed(self, stack: str, change_set: str) -> None:
        self.on_executed(stack, change_set)


@dataclass(frozen=True)
class Place:
    """The gateway's address, and the embedded AWS behind it."""

    url: str
    embedded: EmbeddedAws
    played: Scripted

    def client(self, service: str, region: str = REGION) -> Any:
        return _client(service, self.url, region)

    def direct(self, service: str) -> Any:
        """A client that goes past the gateway."""
        return _client(service, self.embedded.endpoint)

    def helper_scripts(self, action: str, **parameters: str) -> tuple[int, Any]:
        """A question as AWS's helper scripts put it: GET, signed, with a wish for JSON."""
        asked = {"Action": action, "ContentType": "JSON", "Version": "2010-05-15", **parameters}
        scope = f"test/20260101/{REGION}/cloudformation/aws4_request"
        request = urllib.request.Request(
            f"{self.url}/?{urllib.parse.urlencode(asked)}",
            headers={
                "Accept": "application/json",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={scope},SignedHeaders=host, "
                "Signature=0",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()


def _client(service: str, url: str, region: str = REGION) -> Any:
    key, secret = LOCAL_CREDENTIALS
    config = Config(
        read_timeout=PATIENCE, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
    )
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=config,
    )


@pytest.fixture(scope="session")
def standing(embedded: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    package = tmp_path_factory.mktemp("packages") / "package"
    package.write_bytes(b"a package" * 100_000)
    played = Scripted()
    files: dict[str, Path] = {"package.tar.gz": package}
    with served(gateway(embedded.endpoint, played, files)) as url:
        yield Place(url, embedded, played)


@pytest.fixture
def place(standing: Place) -> Place:
    """The gateway, with nothing played yet."""
    vars(standing.played).update(vars(Scripted()))
    return standing


OFTEN = {"Delay": 0.2, "MaxAttempts": 600}
PARAMETER: dict[str, Any] = {
    "Type": "AWS::SSM::Parameter",
    "Properties": {"Type": "String", "Value": "1"},
    "Metadata": {"release": {"sha256": "3f"}},
}


@pytest.fixture(scope="session")
def stack(standing: Place) -> str:
    """The ARN of the stack 'tiny', which has one resource, 'Setting'."""
    return _stack(standing, "tiny", {"Setting": PARAMETER})


def _stack(place: Place, name: str, resources: dict[str, Any]) -> str:
    client = place.direct("cloudformation")
    body = json.dumps({"Resources": resources})
    arn = client.create_stack(StackName=name, TemplateBody=body)["StackId"]
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=OFTEN)
    return str(arn)


def _event(reason: str, time: datetime, logical_id: str = "Setting") -> StackEvent:
    status = "UPDATE_IN_PROGRESS"
    return StackEvent(reason, time, logical_id, "physical", "AWS::X::Y", status, reason)


# What is the embedded AWS's


def test_a_large_object_comes_and_goes_unchanged(place: Place) -> None:
    content = os.urandom(20 << 20)
    s3 = place.client("s3")
    s3.create_bucket(
        Bucket="large-objects", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    s3.put_object(Bucket="large-objects", Key="a b/ü", Body=content, ChecksumAlgorithm="SHA256")
    found = s3.get_object(Bucket="large-objects", Key="a b/ü", ChecksumMode="ENABLED")
    assert found["ContentLength"] == len(content)
    assert found["Body"].read() == content


def test_an_upload_in_signed_chunks_arrives_as_what_it_holds(place: Place) -> None:
    s3 = place.client("s3")
    s3.create_bucket(Bucket="in-chunks", CreateBucketConfiguration={"LocationConstraint": REGION})
    sum_of_all = base64.b64encode(zlib.crc32(b"part one, 2.").to_bytes(4, "big")).decode()
    end = f"0\r\nx-amz-checksum-crc32:{sum_of_all}\r\n\r\n".encode()
    chunks = [b"7\r\npart on\r\n", b"5\r\ne, 2.\r\n", end]
    connection = http.client.HTTPConnection(urlsplit(place.url).netloc, timeout=PATIENCE)
    with closing(connection):
        connection.request(
            "PUT",
            "/in-chunks/key",
            iter(chunks),
            {
                "Transfer-Encoding": "chunked",
                "Content-Encoding": "aws-chunked",
                "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                "X-Amz-Decoded-Content-Length": "12",
                "X-Amz-Trailer": "x-amz-checksum-crc32",
                "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/s3/"
                "aws4_request, SignedHeaders=host, Signature=0",
            },
            encode_chunked=True,
        )
        assert connection.getresponse().read() == b""
    assert s3.get_object(Bucket="in-chunks", Key="key")["Body"].read() == b"part one, 2."


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("sts", "get_caller_identity", {}),
        ("ssm", "get_parameters_by_path", {"Path": "/aws/service/debian", "Recursive": True}),
        ("logs", "describe_log_groups", {}),
        ("lambda", "list_functions", {}),
        ("iam", "list_roles", {}),
        ("s3", "list_buckets", {}),
        ("cloudformation", "list_stacks", {}),
        ("ec2", "describe_vpcs", {}),
        ("autoscaling", "describe_policies", {}),
    ],
)
def test_other_questions_are_answered_as_ever(
    place: Place, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    through, direct = (
        getattr(client, operation)(**arguments)
        for client in (place.client(service), place.direct(service))
    )
    del through["ResponseMetadata"], direct["ResponseMetadata"]
    assert through == direct
    assert through


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("s3", "head_object", {"Bucket": "no-such-bucket", "Key": "k"}, "404"),
        (
            "logs",
            "get_log_events",
            {"logGroupName": "g", "logStreamName": "s"},
            "ResourceNotFoundException",
        ),
        ("lambda", "invoke", {"FunctionName": "nobody"}, "ResourceNotFoundException"),
        ("cloudformation", "describe_stacks", {"StackName": "nobody"}, "ValidationError"),
        ("cloudformation", "describe_stack_events", {"StackName": "nobody"}, "ValidationError"),
        (
            "cloudformation",
            "describe_stack_resource",
            {"StackName": "nobody", "LogicalResourceId": "x"},
            "ValidationError",
        ),
        (
            "ec2",
            "describe_instances",
            {"InstanceIds": ["i-0000000000000000f"]},
            "InvalidInstanceID.NotFound",
        ),
    ],
)
def test_a_refusal_is_passed_on(
    place: Place, service: str, operation: str, arguments: dict[str, Any], code: str
) -> None:
    refusals = []
    for client in (place.client(service), place.direct(service)):
        with pytest.raises(ClientError) as caught:
            getattr(client, operation)(**arguments)
        refusals.append(caught.value.response["Error"])
    assert refusals[0] == refusals[1]
    assert refusals[0]["Code"] == code


@pytest.mark.parametrize("said", [b"", b"what?\r\n\r\n"], ids=["nothing", "nonsense"])
@pytest.mark.parametrize("operation", ["describe_stacks", "list_stacks"])
def test_an_aws_that_does_not_answer_is_named(operation: str, said: bytes) -> None:
    with listening() as upstream, served(gateway(upstream.endpoint, Scripted(), {})) as url:

        def answer() -> None:
            with upstream.accepted() as aws:
                received(aws, b"Action=")
                aws.sendall(said)

        answering = threading.Thread(target=answer)
        answering.start()
        client = _client("cloudformation", url)
        with pytest.raises(ClientError) as caught:
            getattr(client, operation)()
        answering.join()
        endpoint = upstream.endpoint
    refusal = caught.value.response
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert refusal["Error"]["Code"] == "ServiceUnavailable"
    assert refusal["Error"]["Message"].startswith(
        f"The embedded AWS at {endpoint} does not answer: "
    )


def test_the_project_is_provisioned_updated_and_deleted_through_it(
    place: Place, tmp_path: Path
) -> None:
    executed = []
    place.played.on_executed = lambda *told: executed.append(told[0])
    aws = Aws(REGION, place.url, credentials=LOCAL_CREDENTIALS)
    aws.make_bucket("through-the-gateway")
    flags = {"stage": "prod", "region": REGION, "bucket": "through-the-gateway"}
    settings = project.settings(flags, topology_settings())
    lines: list[str] = []
    for content in (b"small", os.urandom(5 << 20)):
        artifact = _artifact(tmp_path, settings.name, content)
        destination = survey(aws, settings, local=True)
        made = plan(settings, artifact, settings.needed(BUCKET), composer(settings, project.ROOT))
        provision(aws, destination, made, Console(write=lines.append))
        key = artifact_key(settings.name, artifact.sha256)
        aws.download("through-the-gateway", key, tmp_path / "found")
        assert (tmp_path / "found").read_bytes() == artifact.path.read_bytes()
        assert artifact.sha256 in json.dumps(aws.resource_metadata("hello-prod", "ServiceFleet"))
    assert executed == ["hello-prod", "hello-prod"]
    for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        assert [line for line in lines if re.search(rf"{status} +ServiceFleet", line)]
    stack = aws.stack("hello-prod")
    assert stack
    delete(aws, stack, Console(write=lines.append), Hints("prod", "eu-central-1"))
    assert aws.stack("hello-prod") is None


def _artifact(folder: Path, name: str, content: bytes) -> Artifact:
    packed = archive({"tiny.bin": content})
    digest = hashlib.sha256(packed).hexdigest()
    path = folder / f"{digest}.zip"
    path.write_bytes(packed)
    return Artifact(path, name, digest, len(packed), 5)


# Signals


def test_a_signal_reaches_who_plays_the_fleet(place: Place) -> None:
    place.client("cloudformation").signal_resource(
        StackName="tiny",
        LogicalResourceId="ServiceFleet",
        UniqueId="i-0123456789abcdef0",
        Status="SUCCESS",
    )
    assert place.played.signals == [("tiny", "ServiceFleet", "i-0123456789abcdef0", "SUCCESS")]


def test_a_signal_may_name_the_stack_by_its_arn(place: Place, stack: str) -> None:
    place.client("cloudformation").signal_resource(
        StackName=stack, LogicalResourceId="F", UniqueId="i-1", Status="FAILURE"
    )
    assert place.played.signals == [("tiny", "F", "i-1", "FAILURE")]


def test_a_refused_signal_is_refused_in_the_words_of_who_plays(place: Place) -> None:
    place.played.refusal = "Stack tiny is in CREATE_COMPLETE state and could not be signaled"
    with pytest.raises(ClientError) as caught:
        place.client("cloudformation").signal_resource(
            StackName="tiny", LogicalResourceId="F", UniqueId="i-1", Status="SUCCESS"
        )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"] == {
        "Type": "Sender",
        "Code": "ValidationError",
        "Message": "Stack tiny is in CREATE_COMPLETE state and could not be signaled",
    }


SIGNAL = {"StackName": "tiny", "LogicalResourceId": "F", "UniqueId": "i-1", "Status": "SUCCESS"}


def test_the_helper_scripts_signal_in_json(place: Place) -> None:
    status, answer = place.helper_scripts("SignalResource", **SIGNAL)
    assert (status, list(answer)) == (200, ["SignalResourceResponse"])
    assert place.played.signals == [("tiny", "F", "i-1", "SUCCESS")]


def test_the_helper_scripts_are_refused_in_json(place: Place) -> None:
    place.played.refusal = "no"
    status, answer = place.helper_scripts("SignalResource", **SIGNAL)
    assert status == 400
    assert answer["Error"] == {"Type": "Sender", "Code": "ValidationError", "Message": "no"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"Status": "PERHAPS"},
            "1 validation error detected: Value 'PERHAPS' at 'status' failed to satisfy "
            "constraint: Member must satisfy enum value set: [FAILURE, SUCCESS]",
        ),
        (
            {"UniqueId": ""},
            "1 validation error detected: Value null at 'uniqueId' failed to satisfy "
            "constraint: Member must not be null",
        ),
    ],
)
def test_a_signal_that_makes_no_sense_is_refused_here(
    place: Place, change: dict[str, str], message: str
) -> None:
    status, answer = place.helper_scripts("SignalResource", **{**SIGNAL, **change})
    assert (status, answer["Error"]["Message"]) == (400, message)
    assert place.played.signals == []


def test_a_form_that_is_sent_elsewhere_is_no_signal(place: Place) -> None:
    connection = http.client.HTTPConnection(urlsplit(place.url).netloc, timeout=PATIENCE)
    with closing(connection):
        form = urllib.parse.urlencode({"Action": "SignalResource", **SIGNAL})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/elsewhere", form, headers)
        assert connection.getresponse().status >= 400
    assert place.played.signals == []


# A resource, as cfn-hup reads it


def test_cfn_hup_gets_a_resource_in_json(place: Place, stack: str) -> None:
    before = datetime.now(UTC)
    status, answer = place.helper_scripts(
        "DescribeStackResource", StackName="tiny", LogicalResourceId="Setting"
    )
    assert status == 200
    detail = answer["DescribeStackResourceResponse"]["DescribeStackResourceResult"][
        "StackResourceDetail"
    ]
    changed = datetime.fromtimestamp(detail["LastUpdatedTimestamp"], UTC)
    assert timedelta(0) < before - changed < timedelta(hours=1)
    assert json.loads(detail["Metadata"]) == {"release": {"sha256": "3f"}}
    assert detail["ResourceStatus"] == "CREATE_COMPLETE"
    assert (detail["StackName"], detail["StackId"]) == ("tiny", stack)
    assert detail["LogicalResourceId"] == "Setting"
    assert detail["ResourceType"] == "AWS::SSM::Parameter"


def test_cfn_hup_gets_a_refusal_in_json(place: Place) -> None:
    status, answer = place.helper_scripts(
        "DescribeStackResource", StackName="nobody", LogicalResourceId="Setting"
    )
    assert status == 400
    assert answer["Error"] == {
        "Type": "Sender",
        "Code": "ValidationError",
        "Message": "Stack [nobody] does not exist",
    }


def _resource(place: Place, stack: str = "tiny") -> dict[str, Any]:
    client = place.client("cloudformation")
    answer = client.describe_stack_resource(StackName=stack, LogicalResourceId="Setting")
    return dict(answer["StackResourceDetail"])


def test_a_resource_whose_instances_are_being_replaced_is_in_progress(
    place: Place, stack: str
) -> None:
    now = datetime.now(UTC)
    earlier = replace(_event("begin", now), status="UPDATE_COMPLETE")
    place.played.events["tiny"] = [earlier, _event("later", now)]
    for name in ("tiny", stack):
        found = _resource(place, name)
        assert found["ResourceStatus"] == "UPDATE_IN_PROGRESS"
        assert abs(found["LastUpdatedTimestamp"] - now) < timedelta(milliseconds=1)
    _, answer = place.helper_scripts(
        "DescribeStackResource", StackName="tiny", LogicalResourceId="Setting"
    )
    assert "UPDATE_IN_PROGRESS" in json.dumps(answer)


def test_what_was_played_before_says_nothing_of_a_resource(place: Place, stack: str) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    place.played.events["tiny"] = [
        _event("before", long_ago),
        _event("of another", datetime.now(UTC), "Another"),
    ]
    assert _resource(place)["ResourceStatus"] == "CREATE_COMPLETE"


# The stack's status and events


def test_a_stacks_status_is_the_one_that_is_played(place: Place, stack: str) -> None:
    place.played.statuses["tiny", "CREATE_COMPLETE"] = "CREATE_IN_PROGRESS"
    aws = Aws(REGION, place.url, credentials=LOCAL_CREDENTIALS)
    for name in ("tiny", stack):
        found = aws.stack(name)
        assert found
        assert found.status == "CREATE_IN_PROGRESS"
    listed = place.client("cloudformation").describe_stacks()["Stacks"]
    assert "CREATE_IN_PROGRESS" in {one["StackStatus"] for one in listed}


def test_a_form_may_come_in_pieces(place: Place, stack: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(place.url).netloc, timeout=PATIENCE)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    scope = f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/cloudformation/aws4_request"
    with closing(connection):
        pieces = iter([b"Action=DescribeStacks", b"&StackName=tiny"])
        headers = {**form, "Authorization": scope}
        connection.request("POST", "/", pieces, headers, encode_chunked=True)
        assert stack.encode() in connection.getresponse().read()


def test_played_events_stand_among_the_others_by_their_time(place: Place) -> None:
    arn = _stack(place, "updated", {"Setting": PARAMETER})
    aws = Aws(REGION, place.url, credentials=LOCAL_CREDENTIALS)
    creation = [one.id for one in aws.events("updated")]
    between = _event("between", datetime.now(UTC))
    direct = place.direct("cloudformation")
    changed = {**PARAMETER, "Properties": {"Type": "String", "Value": "2"}}
    body = json.dumps({"Resources": {"Setting": changed}})
    direct.update_stack(StackName="updated", TemplateBody=body)
    direct.get_waiter("stack_update_complete").wait(StackName="updated", WaiterConfig=OFTEN)
    update = [one.id for one in aws.events("updated")][len(creation) :]
    last = _event("last", datetime.now(UTC))
    place.played.events["updated"] = [between, last]
    for name in ("updated", arn):
        shown = aws.events(name)
        assert [one.id for one in shown] == [*creation, "between", *update, "last"]
    assert aws.last_event("updated") == "last"
    assert aws.events("updated", "last") == ()
    assert shown[-1] == last


def test_an_event_that_is_not_true_yet_is_held_back(place: Place, stack: str) -> None:
    aws = Aws(REGION, place.url, credentials=LOCAL_CREDENTIALS)
    others = aws.events("tiny")
    end = next(one for one in others if (one.logical_id, one.status) == ("tiny", "CREATE_COMPLETE"))
    place.played.held.add("tiny tiny CREATE_COMPLETE")
    for name in ("tiny", stack):
        assert aws.events(name) == tuple(one for one in others if one != end)


def test_events_of_one_moment_keep_their_order(place: Place, stack: str) -> None:
    now = datetime.now(UTC)
    place.played.events["tiny"] = [_event(name, now) for name in ("one", "two", "three")]
    aws = Aws(REGION, place.url, credentials=LOCAL_CREDENTIALS)
    assert [one.id for one in aws.events("tiny")][-3:] == ["one", "two", "three"]


def test_events_of_all_pages_are_told_as_one(place: Place) -> None:
    resources = {f"Setting{number}": PARAMETER for number in range(60)}
    _stack(place, "many", resources)
    place.played.events["many"] = [_event("last", datetime.now(UTC))]
    paginator = place.direct("cloudformation").get_paginator("describe_stack_events")
    pages = list(paginator.paginate(StackName="many"))
    assert len(pages) > 1
    answer = place.client("cloudformation").describe_stack_events(StackName="many")
    assert "NextToken" not in answer
    assert [one["EventId"] for one in answer["StackEvents"]] == [
        "last",
        *(one["EventId"] for page in pages for one in page["StackEvents"]),
    ]


def test_the_stacks_own_events_can_be_played(place: Place, stack: str) -> None:
    now, status = datetime.now(UTC), "UPDATE_ROLLBACK_COMPLETE"
    own = StackEvent("end", now, "tiny", stack, STACK_TYPE, status, "")
    place.played.events["tiny"] = [own]
    assert Aws(REGION, place.url, credentials=LOCAL_CREDENTIALS).events(stack)[-1] == own


# Change sets


def _change_set(place: Place, name: str) -> str:
    answer = place.client("cloudformation").create_change_set(
        StackName=name,
        ChangeSetName="make",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Setting": PARAMETER}}),
    )
    return str(answer["Id"])


def test_who_plays_is_told_before_a_change_set_is_executed(place: Place) -> None:
    arn = _change_set(place, "told")
    direct = place.direct("cloudformation")
    told = []

    def look(stack: str, change_set: str) -> None:
        found = direct.describe_change_set(ChangeSetName=change_set, StackName=stack)
        told.append((stack, change_set, found["ExecutionStatus"]))

    place.played.on_executed = look
    place.client("cloudformation").execute_change_set(StackName="told", ChangeSetName=arn)
    assert told == [("told", arn, "AVAILABLE")]
    direct.get_waiter("stack_create_complete").wait(StackName="told", WaiterConfig=OFTEN)


def test_a_change_set_may_be_named_by_its_arn_alone(place: Place) -> None:
    arn = _change_set(place, "unnamed")
    told = []
    place.played.on_executed = lambda stack, change_set: told.append((stack, change_set))
    place.client("cloudformation").execute_change_set(ChangeSetName=arn)
    assert told == [("unnamed", arn)]


def test_what_cannot_be_played_is_refused_and_not_executed(place: Place) -> None:
    arn = _change_set(place, "refused")

    told = []

    def refuse(stack: str, change_set: str) -> None:
        told.append(change_set)
        raise LocalError(f"{stack} cannot be played.")

    place.played.on_executed = refuse
    aws = Aws(REGION, place.url, credentials=LOCAL_CREDENTIALS)
    with pytest.raises(AwsError, match=r"refused cannot be played\."):
        aws.execute_change_set(arn, "refused")
    assert told == [arn]  # a request that is refused is not sent again
    found = place.direct("cloudformation").describe_change_set(ChangeSetName=arn)
    assert found["ExecutionStatus"] == "AVAILABLE"


def test_others_are_answered_while_something_takes_its_time(place: Place) -> None:
    arn = _change_set(place, "slow")
    begun, go_on = threading.Event(), threading.Event()

    def wait(stack: str, change_set: str) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    place.played.on_executed = wait
    executing = threading.Thread(
        target=place.client("cloudformation").execute_change_set,
        kwargs={"StackName": "slow", "ChangeSetName": arn},
    )
    executing.start()
    try:
        assert begun.wait(PATIENCE)
        assert place.client("sts").get_caller_identity()["Account"]
        assert executing.is_alive()
    finally:
        go_on.set()
        executing.join()


# Instances


@pytest.fixture(scope="session")
def group(standing: Place) -> str:
    """The name of an Auto Scaling group in eu-central-1 that wants two instances."""
    template = standing.direct("ec2").create_launch_template(
        LaunchTemplateName="of-the-group",
        LaunchTemplateData={"ImageId": "ami-0abc", "InstanceType": "t3.micro"},
    )["LaunchTemplate"]
    standing.direct("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="group",
        MinSize=2,
        MaxSize=3,
        AvailabilityZones=["eu-central-1a"],
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": "3"},
    )
    return "group"


def test_a_group_has_the_members_that_are_played_and_no_others(place: Place, group: str) -> None:
    leaving = replace(
        MEMBER, instance="i-0000000000000000a", state="Terminating", launch_template_version="6"
    )
    place.played.groups[group] = [MEMBER, leaving]
    client = place.client("autoscaling")
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    told = found["AutoScalingGroups"][0]["Instances"]
    unplayed = place.direct("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[group]
    )
    template = unplayed["AutoScalingGroups"][0]["LaunchTemplate"]
    assert told[0] == {
        "InstanceId": "i-0123456789abcdef0",
        "InstanceType": "t3.micro",
        "AvailabilityZone": "eu-central-1b",
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
        "LaunchTemplate": {**template, "Version": "7"},
    }
    [other] = told[1:]
    assert (other["InstanceId"], other["LifecycleState"]) == ("i-0000000000000000a", "Terminating")
    assert other["LaunchTemplate"] == {**template, "Version": "6"}


def test_a_group_that_is_not_played_has_no_instances(place: Place, group: str) -> None:
    client = place.client("autoscaling")
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    assert found["AutoScalingGroups"][0]["Instances"] == []
    assert found["AutoScalingGroups"][0]["DesiredCapacity"] == 2


def test_the_tool_finds_the_fleet_and_its_addresses(place: Place, group: str) -> None:
    inside = replace(MEMBER, instance="i-0000000000000000b", public_address="")
    place.played.groups[group] = [MEMBER, inside]
    fleet = Aws(REGION, place.url, credentials=LOCAL_CREDENTIALS).fleet(group)
    assert fleet
    found = [
        (one.id, one.state, one.address, one.launch_template_version) for one in fleet.instances
    ]
    assert found == [
        ("i-0123456789abcdef0", "InService", "127.77.0.7", "7"),
        ("i-0000000000000000b", "InService", "10.0.7.100", "7"),
    ]
    assert "PublicIpAddress" not in _instances(place, InstanceIds=[inside.instance])[0]


def _instances(place: Place, region: str = REGION, **arguments: Any) -> list[dict[str, Any]]:
    client = place.client("ec2", region=region)
    pages = client.get_paginator("describe_instances").paginate(**arguments)
    return [
        one
        for page in pages
        for reservation in page["Reservations"]
        for one in reservation["Instances"]
    ]


@pytest.mark.parametrize("arguments", [{}, {"InstanceIds": [MEMBER.instance]}])
def test_ec2_tells_what_a_member_is(place: Place, group: str, arguments: dict[str, Any]) -> None:
    place.played.groups[group] = [MEMBER]
    [found] = [
        one for one in _instances(place, **arguments) if one["InstanceId"] == MEMBER.instance
    ]
    assert found["State"] == {"Code": 16, "Name": "running"}
    assert found["InstanceType"] == "t3.micro"
    assert found["ImageId"] == "ami-0abc"
    assert found["Placement"]["AvailabilityZone"] == "eu-central-1b"
    assert found["PrivateIpAddress"] == "10.0.7.100"
    assert found["PublicIpAddress"] == "127.77.0.7"


@pytest.mark.parametrize(
    ("lifecycle", "state"),
    [
        ("Pending", {"Code": 0, "Name": "pending"}),
        ("Pending:Wait", {"Code": 0, "Name": "pending"}),
        ("InService", {"Code": 16, "Name": "running"}),
        ("Terminating", {"Code": 32, "Name": "shutting-down"}),
        ("Terminated", {"Code": 48, "Name": "terminated"}),
    ],
)
def test_ec2_tells_the_state_of_a_member(
    place: Place, group: str, lifecycle: str, state: dict[str, Any]
) -> None:
    place.played.groups[group] = [replace(MEMBER, state=lifecycle)]
    assert _instances(place, InstanceIds=[MEMBER.instance])[0]["State"] == state


def test_ec2_still_knows_a_member_that_is_gone(place: Place, group: str) -> None:
    place.played.groups[group] = [MEMBER]
    assert _instances(place, InstanceIds=[MEMBER.instance])
    place.played.groups[group] = []
    [found] = _instances(place, InstanceIds=[MEMBER.instance])
    assert found["State"]["Name"] == "terminated"
    assert "PublicIpAddress" not in found
    assert MEMBER.instance not in {one["InstanceId"] for one in _instances(place)}


def test_ec2_tells_members_beside_its_own_instances(place: Place, group: str) -> None:
    own = place.direct("ec2").run_instances(ImageId="ami-0abc", MinCount=1, MaxCount=1)
    own_id = own["Instances"][0]["InstanceId"]
    place.played.groups[group] = [MEMBER]
    both = {one["InstanceId"] for one in _instances(place, InstanceIds=[own_id, MEMBER.instance])}
    assert both == {own_id, MEMBER.instance}
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    narrowings: list[dict[str, Any]] = [{}, {"Filters": running}]
    for narrowed in narrowings:
        [one] = _instances(place, InstanceIds=[MEMBER.instance], **narrowed)
        assert one["InstanceId"] == MEMBER.instance
    assert both <= {one["InstanceId"] for one in _instances(place)}
    filters = [{"Name": "instance-id", "Values": [own_id]}]
    assert [one["InstanceId"] for one in _instances(place, Filters=filters)] == [own_id]


def test_a_member_is_looked_for_in_the_region_that_is_asked(place: Place, group: str) -> None:
    place.played.groups[group] = [replace(MEMBER, instance="i-0000000000000000c")]
    assert _instances(place, region="us-west-2", InstanceIds=[]) == []
    assert _instances(place, InstanceIds=["i-0000000000000000c"])


# Packages


def test_a_package_is_given_out(place: Place) -> None:
    assert place.get("/stand-ins/package.tar.gz") == (200, b"a package" * 100_000)


def test_a_package_that_is_not_there_is_named(place: Place) -> None:
    assert place.get("/stand-ins/another.deb") == (404, b"There is no /stand-ins/another.deb here.")
