"""EDGE: the only module that talks to AWS, and the only one that imports boto3.

Each method is one question or one order; what comes back is plain or frozen. Whatever
AWS refuses is an AwsError that says what was refused and what to do next.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws.described import (
    base64_of,
    change_set_of,
    event_of,
    fleet_of,
    function_of,
    hex_of,
    launch_template_of,
    mapping_of,
    resource_of,
    stack_of,
)
from deploy.aws.refusal import Refusal, explain
from deploy.aws.running import (
    FleetState,
    FunctionState,
    Identity,
    Invocation,
    LaunchTemplateState,
    QueueMapping,
)
from deploy.errors import AwsError
from deploy.stack import ChangeSet, ChangeSetType, Stack, StackEvent, StackResource

_ACTIONS = {
    # The permission is not named like the request (Service Authorization Reference).
    ("s3", "head_bucket"): "s3:ListBucket",
    ("s3", "head_object"): "s3:GetObject",
    ("lambda", "invoke"): "lambda:InvokeFunction",
}
_TIMEOUTS = {"connect_timeout": 5, "read_timeout": 60}
_RETRIES = {"mode": "standard", "total_max_attempts": 4}
# A function may run for 15 minutes, and asking a second time would run it twice.
_INVOKE = Config(connect_timeout=5, read_timeout=910, retries={"total_max_attempts": 1})
_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")


class Aws:
    """AWS in one region, or what plays its part on a laptop.

    Args:
        region: without it, what the AWS configuration says.
        endpoint: for every service; without it, what the AWS configuration says
            (AWS_ENDPOINT_URL), else AWS's own.
        functions_endpoint: for invoking functions only; without it, `endpoint`.
        credentials: access key ID and secret access key; without them, boto3's own search.

    Clients are made when first needed, so that making an Aws asks nothing of anybody. Any
    thread may ask.
    """

    def __init__(
        self,
        region: str | None = None,
        endpoint: str | None = None,
        functions_endpoint: str | None = None,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        self._region = region
        self._endpoint = endpoint
        self._functions_endpoint = functions_endpoint or endpoint
        self._credentials = credentials
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        # Clients may be used by several threads; a session makes one after the other.
        self._making = threading.Lock()

    # Who and where

    @property
    def region(self) -> str:
        """Where the requests go.

        Raises:
            AwsError: no region is set anywhere.
        """
        try:
            region = self._opened().region_name
        except BotoCoreError as error:
            raise self._refused(error, "sts:GetCallerIdentity", {}) from error
        if not region:
            raise AwsError(explain(Refusal("NoRegionError", "", "")))
        return str(region)

    def identity(self) -> Identity:
        answer = self._call("sts", "get_caller_identity")
        return Identity(answer["Account"], answer["Arn"])

    # Bucket and artifact

    def bucket_region(self, bucket: str) -> str:
        """The region that the bucket is in.

        Raises:
            AwsError: there is no such bucket, or these credentials may not use it.
        """
        answer = self._call("s3", "head_bucket", ("404", "NoSuchBucket"), Bucket=bucket)
        if answer is None:
            raise AwsError(
                f"Bucket {bucket!r} does not exist. "
                f"Create it with: aws s3 mb s3://{bucket} --region {self.region}"
            )
        return str(answer.get("BucketRegion") or "us-east-1")

    def make_bucket(self, bucket: str) -> None:
        """The bucket exists afterwards; one that is already yours is left as it is."""
        where = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        arguments = {"CreateBucketConfiguration": where} if where else {}
        self._call("s3", "create_bucket", ("BucketAlreadyOwnedByYou",), Bucket=bucket, **arguments)

    def has_object(self, bucket: str, key: str, size: int, sha256: str) -> bool:
        """Whether the very bytes are there.

        Raises:
            AwsError: the key holds other bytes; a digest in a key promises that it cannot.
        """
        answer = self._call(
            "s3",
            "head_object",
            ("404", "NoSuchKey", "NotFound"),
            Bucket=bucket,
            Key=key,
            ChecksumMode="ENABLED",
        )
        if answer is None:
            return False
        stored = answer.get("ChecksumSHA256")
        same = answer["ContentLength"] == size and stored in (None, base64_of(sha256))
        if not same:
            raise AwsError(
                f"s3://{bucket}/{key} does not hold what its name says: expected {size} bytes "
                f"with sha256 {sha256}, found {answer['ContentLength']} bytes"
                f"{f' with sha256 {hex_of(stored)}' if stored else ''}. "
                f"Delete it with: aws s3 rm s3://{bucket}/{key}"
            )
        return True

    def upload(self, bucket: str, key: str, body: bytes | Path, sha256: str) -> None:
        """The object exists afterwards; S3 itself checks the digest of what arrives."""
        content = body.read_bytes() if isinstance(body, Path) else body
        self._call(
            "s3",
            "put_object",
            Bucket=bucket,
            Key=key,
            Body=content,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=base64_of(sha256),
            ContentType="application/zip" if key.endswith(".zip") else "application/json",
        )

    def download(self, bucket: str, key: str, path: Path) -> None:
        """The object's bytes are in the file `path` afterwards; the caller checks the digest."""
        answer = self._call("s3", "get_object", Bucket=bucket, Key=key)
        try:
            with path.open("wb") as file:
                for chunk in answer["Body"].iter_chunks(1 << 20):
                    file.write(chunk)
        except BotoCoreError as error:
            raise self._refused(error, "s3:GetObject", {"Bucket": bucket, "Key": key}) from error

    def object_url(self, bucket: str, key: str) -> str:
        """The object's address, right for the region, the partition and the endpoint."""
        client = self._client("s3", "get_object")
        signed = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})
        return str(signed).partition("?")[0]

    # Stack

    def stack(self, name: str) -> Stack | None:
        """The stack of this name or ARN, or None."""
        answer = self._call(
            "cloudformation", "describe_stacks", ("does not exist",), StackName=name
        )
        return stack_of(answer["Stacks"][0]) if answer and answer["Stacks"] else None

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        pages = self._pages("cloudformation", "list_stack_resources", StackName=stack)
        return tuple(resource_of(one) for page in pages for one in page["StackResourceSummaries"])

    def resource_metadata(self, stack: str, logical_id: str) -> dict[str, Any]:
        """The resource's Metadata, intrinsics resolved; empty without one or without it."""
        answer = self._call(
            "cloudformation",
            "describe_stack_resource",
            ("does not exist",),
            StackName=stack,
            LogicalResourceId=logical_id,
        )
        detail = answer["StackResourceDetail"] if answer else {}
        return dict(json.loads(detail.get("Metadata") or "{}"))

    def events(self, stack: str, after: str = "") -> tuple[StackEvent, ...]:
        """What happened to the stack since the event with the ID `after`, oldest first."""
        found: list[StackEvent] = []
        for page in self._pages("cloudformation", "describe_stack_events", StackName=stack):
            for event in page["StackEvents"]:
                if event["EventId"] == after:
                    return tuple(reversed(found))
                found.append(event_of(event))
        return tuple(reversed(found))

    def last_event(self, stack: str) -> str:
        """The ID of the newest event; empty when there is none."""
        answer = self._call(
            "cloudformation", "describe_stack_events", ("does not exist",), StackName=stack
        )
        events = answer["StackEvents"] if answer else ()
        return str(events[0]["EventId"]) if events else ""

    def template(self, stack: str) -> str:
        """The text of the stack's template, equal to what was sent up to its spacing."""
        answer = self._call(
            "cloudformation", "get_template", StackName=stack, TemplateStage="Original"
        )
        body = answer["TemplateBody"]
        return body if isinstance(body, str) else json.dumps(body)

    def create_change_set(self, stack: str, name: str, kind: ChangeSetType, template: str) -> str:
        """The new change set's ARN; `template` is its text, or its URL in S3.

        A first creation that fails is deleted by CloudFormation itself, so that nothing
        is left half done and the next attempt needs no clearing up.
        """
        source = "TemplateURL" if template.startswith("http") else "TemplateBody"
        on_failure = {"OnStackFailure": "DELETE"} if kind is ChangeSetType.CREATE else {}
        answer = self._call(
            "cloudformation",
            "create_change_set",
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType=kind.value,
            Capabilities=list(_CAPABILITIES),
            **{source: template},
            **on_failure,
        )
        return str(answer["Id"])

    def change_set(self, arn: str, stack: str) -> ChangeSet:
        pages = self._pages(
            "cloudformation", "describe_change_set", ChangeSetName=arn, StackName=stack
        )
        return change_set_of(list(pages))

    def execute_change_set(self, arn: str, stack: str) -> None:
        self._call(
            "cloudformation",
            "execute_change_set",
            ChangeSetName=arn,
            StackName=stack,
        )

    def delete_change_set(self, arn: str, stack: str) -> None:
        self._call(
            "cloudformation",
            "delete_change_set",
            ("does not exist", "ChangeSetNotFound"),
            ChangeSetName=arn,
            StackName=stack,
        )

    def delete_stack(self, stack: str) -> None:
        """CloudFormation begins to delete the stack; a missing one is no error."""
        self._call("cloudformation", "delete_stack", StackName=stack)

    # What runs

    def function(self, name: str, qualifier: str = "$LATEST") -> FunctionState | None:
        """The function of this name or ARN, or None."""
        found = self._call(
            "lambda",
            "get_function_configuration",
            ("ResourceNotFoundException",),
            FunctionName=name,
            Qualifier=qualifier,
        )
        return None if found is None else function_of(found)

    def fleet(self, name: str) -> FleetState | None:
        """The Auto Scaling group of this name with its instances' addresses, or None."""
        group = self._described_group(name)
        if group is None:
            return None
        members = group.get("Instances", [])
        return fleet_of(group, self._addresses([member["InstanceId"] for member in members]))

    def group(self, name: str) -> FleetState | None:
        """The Auto Scaling group of this name, or None; nobody is asked for addresses."""
        group = self._described_group(name)
        return None if group is None else fleet_of(group, {})

    def _described_group(self, name: str) -> Any:
        groups = self._call(
            "autoscaling",
            "describe_auto_scaling_groups",
            AutoScalingGroupNames=[name],
        )["AutoScalingGroups"]
        return groups[0] if groups else None

    def set_desired_capacity(self, fleet: str, count: int) -> None:
        """The Auto Scaling group wants so many instances from now on."""
        self._call(
            "autoscaling",
            "set_desired_capacity",
            AutoScalingGroupName=fleet,
            DesiredCapacity=count,
        )

    def launch_template(self, template: str, version: str) -> LaunchTemplateState:
        """What an instance of this version of the launch template is started with."""
        answer = self._call(
            "ec2",
            "describe_launch_template_versions",
            LaunchTemplateId=template,
            Versions=[version],
        )
        return launch_template_of(answer["LaunchTemplateVersions"][0])

    def _addresses(self, instances: Sequence[str]) -> dict[str, str]:
        """Instance ID -> address, of those that EC2 knows.

        A group has its new instances a little before EC2 tells of them, and of one that it
        does not know EC2 refuses to tell of the others, too.
        """
        if not instances:
            return {}
        answer = self._call(
            "ec2",
            "describe_instances",
            ("InvalidInstanceID.NotFound",),
            InstanceIds=list(instances),
        )
        if answer is None:
            alone = [[one] for one in instances] if len(instances) > 1 else ()
            return dict(item for one in alone for item in self._addresses(one).items())
        return {
            one["InstanceId"]: one.get("PublicIpAddress") or one.get("PrivateIpAddress") or ""
            for reservation in answer["Reservations"]
            for one in reservation["Instances"]
        }

    def invoke(self, name: str, payload: bytes, qualifier: str = "") -> Invocation:
        """The function's answer to one direct invocation, waited for."""
        arguments: dict[str, Any] = {"Qualifier": qualifier} if qualifier else {}
        answer = self._call(
            "lambda",
            "invoke",
            FunctionName=name,
            Payload=payload,
            LogType="Tail",
            **arguments,
        )
        log = base64.b64decode(answer.get("LogResult") or b"")
        try:
            reply = answer["Payload"].read()
        except BotoCoreError as error:
            named = {"FunctionName": name}
            raise self._refused(error, "lambda:InvokeFunction", named) from error
        return Invocation(
            payload=reply,
            error=answer.get("FunctionError") or "",
            log=log.decode("utf-8", "replace"),
        )

    def log_lines(self, group: str, stream: str) -> tuple[str, ...]:
        """The last lines of a log stream, at most those of 1 MB; none when it is not there."""
        answer = self._call(
            "logs",
            "get_log_events",
            ("ResourceNotFoundException",),
            logGroupName=group,
            logStreamName=stream,
        )
        events = answer["events"] if answer else ()
        return tuple(line for event in events for line in event["message"].splitlines())

    # Queues

    def mappings(self, function: str) -> tuple[QueueMapping, ...]:
        """The function's event source mappings that take messages from SQS queues."""
        pages = self._pages("lambda", "list_event_source_mappings", FunctionName=function)
        found = (each for page in pages for each in page["EventSourceMappings"])
        return tuple(mapping_of(each) for each in found if ":sqs:" in each["EventSourceArn"])

    def disable_mapping(self, mapping: str) -> None:
        """Lambda begins to leave the mapping's queue alone."""
        self._call("lambda", "update_event_source_mapping", UUID=mapping, Enabled=False)

    def queue_url(self, queue: str) -> str:
        return str(self._call("sqs", "get_queue_url", QueueName=queue)["QueueUrl"])

    def send_message(self, url: str, body: str) -> str:
        """The new message's ID; in a FIFO queue it is of a group of its own."""
        own = str(uuid.uuid4())
        order = {"MessageGroupId": own, "MessageDeduplicationId": own}
        fifo = order if url.endswith(".fifo") else {}
        answer = self._call("sqs", "send_message", QueueUrl=url, MessageBody=body, **fifo)
        return str(answer["MessageId"])

    def received(self, url: str, count: int, seconds: int) -> tuple[dict[str, Any], ...]:
        """Up to so many messages, waited for so long; each as SQS describes it."""
        answer = self._call(
            "sqs",
            "receive_message",
            QueueUrl=url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return tuple(answer.get("Messages", ()))

    def delete_messages(self, url: str, receipt_handles: Sequence[str]) -> None:
        """Up to ten messages are gone."""
        entries = [
            {"Id": str(number), "ReceiptHandle": handle}
            for number, handle in enumerate(receipt_handles)
        ]
        self._call("sqs", "delete_message_batch", QueueUrl=url, Entries=entries)

    # One request

    def _opened(self) -> Any:
        if self._session is None:
            key, secret = self._credentials or (None, None)
            self._session = boto3.Session(
                aws_access_key_id=key, aws_secret_access_key=secret, region_name=self._region
            )
        return self._session

    def _client(self, service: str, operation: str) -> Any:
        invoking = operation == "invoke"
        key = operation if invoking else service
        with self._making:
            if key not in self._clients:
                self._clients[key] = self._configured_client(service, invoking=invoking)
        return self._clients[key]

    def _configured_client(self, service: str, *, invoking: bool) -> Any:
        config = _INVOKE if invoking else Config(**_TIMEOUTS, retries=_RETRIES)
        endpoint = self._functions_endpoint if invoking else self._endpoint
        if service == "s3" and endpoint:
            # A bucket's name in the host needs a wildcard in DNS; a laptop has none.
            config = config.merge(Config(s3={"addressing_style": "path"}))
        return self._opened_client(service, endpoint, config)

    def _opened_client(self, service: str, endpoint: str | None, config: Config) -> Any:
        arguments = {"endpoint_url": endpoint, "config": config, "region_name": self.region}
        try:
            return self._opened().client(service, **arguments)
        except ValueError as error:  # botocore's word on an endpoint that is no URL
            raise AwsError(f"{error}. Check AWS_ENDPOINT_URL and the region.") from error

    def _call(
        self,
        service: str,
        operation: str,
        absent: Sequence[str] = (),
        /,
        **arguments: Any,
    ) -> Any:
        """The answer, or None when AWS says one of `absent` (a code, or words of its message)."""
        try:
            return getattr(self._client(service, operation), operation)(**arguments)
        except ClientError as error:
            code, message = _code(error)
            if any(word == code or word in message for word in absent):
                return None
            raise self._refused(error, _action(service, operation), arguments) from error
        except BotoCoreError as error:
            raise self._refused(error, _action(service, operation), arguments) from error

    def _pages(self, service: str, operation: str, /, **arguments: Any) -> Iterator[Any]:
        try:
            client = self._client(service, operation)
            yield from client.get_paginator(operation).paginate(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise self._refused(error, _action(service, operation), arguments) from error

    def _refused(self, error: Exception, action: str, arguments: Mapping[str, Any]) -> AwsError:
        code, message = _code(error) if isinstance(error, ClientError) else ("", "")
        region = self._region or (self._session.region_name if self._session else "") or ""
        return AwsError(
            explain(
                Refusal(
                    code=code or type(error).__name__,
                    message=message or str(error),
                    action=action,
                    subject=_subject(arguments),
                    region=region,
                    endpoint=self._endpoint or "",
                )
            )
        )


def _action(service: str, operation: str) -> str:
    words = "".join(part.capitalize() for part in operation.split("_"))
    return _ACTIONS.get((service, operation), f"{service}:{words}")


def _subject(arguments: Mapping[str, Any]) -> str:
    for form in ("s3://{Bucket}/{Key}", "s3://{Bucket}", "stack {StackName}"):
        with suppress(KeyError):
            return form.format_map(arguments)
    return str(arguments.get("FunctionName") or arguments.get("Name") or "")


def _code(error: Any) -> tuple[str, str]:
    described = error.response.get("Error", {})
    return str(described.get("Code", "")), str(described.get("Message", ""))
