"""A stack's whole life in a real embedded AWS: created, unchanged, updated, failed, deleted."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.artifact import Artifact, ReleasePointer
from deploy.aws import Aws
from deploy.connection import LOCAL_CREDENTIALS
from deploy.console import Console
from deploy.errors import AwsError, SettingsError, StackError
from deploy.settings import Settings, read
from deploy.stack import ChangeSet, Stack
from deploy.stack.deletion import delete
from deploy.stack.hints import Hints
from deploy.stack.plan import INLINE_LIMIT, Plan, plan
from deploy.stack.provision import Outcome, in_same_region, preview, provision, survey
from deploy.stack.watch import Pace
from tests.deploy.operations import Time

NAMES = (f"service{number}" for number in itertools.count())
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}}
BROKEN = {
    "Type": "Custom::Broken",
    "Properties": {"ServiceToken": "arn:aws:lambda:eu-central-1:000000000000:function:nobody"},
}
TAKEN = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "artifacts"}}


@dataclass
class Service:
    """A service of a test's own, with an artifact of a few bytes and a template of one queue."""

    aws: Aws
    folder: Path
    name: str = field(default_factory=lambda: next(NAMES))
    said: list[str] = field(default_factory=list)

    @property
    def stack(self) -> str:
        return f"{self.name}-dev"

    def settings(self, **flags: object) -> Settings:
        flags = {"name": self.name, "bucket": "artifacts", **flags}
        return read({"stages": {"dev": {}}}, {}, flags)

    def artifact(self) -> Artifact:
        content = f"the artifact of {self.name}".encode()
        path = self.folder / "artifact.zip"
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        return Artifact(path, self.name, digest, len(content), len(content))

    def plan(self, resources: Mapping[str, Any], build_id: str = "") -> Plan:
        def compose(pointer: ReleasePointer) -> str:
            outputs = {"BuildId": {"Value": pointer.build_id}}
            return json.dumps({"Resources": resources, "Outputs": outputs})

        return plan(self.settings(), self.artifact(), "artifacts", compose, build_id)

    def provision(self, resources: Mapping[str, Any], build_id: str = "") -> Outcome:
        destination = survey(self.aws, self.settings())
        return provision(
            self.aws, destination, self.plan(resources, build_id), Console(self.said.append)
        )

    def preview(self, resources: Mapping[str, Any]) -> Outcome:
        destination = survey(self.aws, self.settings())
        return preview(self.aws, destination, self.plan(resources), Console(self.said.append))

    def holds_artifact(self) -> bool:
        artifact = self.artifact()
        return self.aws.has_object("artifacts", artifact.key, artifact.size, artifact.sha256)


@pytest.fixture
def service(aws: Aws, tmp_path: Path) -> Service:
    return Service(aws, tmp_path)


@pytest.fixture
def cloudformation(endpoint: str, region: str) -> Any:
    key, secret = LOCAL_CREDENTIALS
    return boto3.client(
        "cloudformation",
        region,
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


def test_a_stack_is_created_left_alone_updated_and_deleted(service: Service) -> None:
    created = service.provision({"Queue": QUEUE})
    assert created.result == "created"
    assert created.outputs == {"BuildId": service.artifact().sha256[:12]}
    assert [change.logical_id for change in created.changes] == ["Queue"]
    assert service.holds_artifact()

    assert service.provision({"Queue": QUEUE}).result == "unchanged"
    assert service.said[-1] == f"Stack {service.stack!r} is up to date: no changes."

    updated = service.provision({"Queue": {**QUEUE, "Properties": {"VisibilityTimeout": 31}}})
    assert updated.result == "updated"
    assert [(c.action, c.properties) for c in updated.changes] == [
        ("Modify", ("VisibilityTimeout",))
    ]

    stack = service.aws.stack(service.stack)
    assert stack is not None
    delete(service.aws, stack, Console(service.said.append), Hints("dev", "eu-central-1"))
    assert service.aws.stack(service.stack) is None
    assert service.holds_artifact()


def test_a_resource_that_the_stack_has_not_has_no_metadata(service: Service) -> None:
    service.provision({"Queue": {**QUEUE, "Metadata": {"Text": "x"}}})
    assert service.aws.resource_metadata(service.stack, "Queue") == {"Text": "x"}
    assert service.aws.resource_metadata(service.stack, "Nothing") == {}


def test_an_artifact_that_is_there_is_not_uploaded_again(service: Service) -> None:
    service.provision({"Queue": QUEUE})
    service.said.clear()
    service.provision({"Queue": QUEUE})
    assert any(line.endswith("is there already") for line in service.said)
    assert not any("Uploading" in line for line in service.said)


def test_a_build_id_of_ones_own_reaches_the_stack(service: Service) -> None:
    assert service.provision({"Queue": QUEUE}, "release-7").outputs == {"BuildId": "release-7"}


def test_progress_counts_the_resources(service: Service) -> None:
    service.provision({"Queue": QUEUE, "Other": QUEUE})
    assert any("2 of 2  CREATE_COMPLETE" in line for line in service.said)


def test_a_large_template_goes_through_the_bucket(service: Service) -> None:
    outcome = service.provision(
        {
            f"Queue{number}": {**QUEUE, "Metadata": {"Text": "x" * 3_000}}
            for number in range(INLINE_LIMIT // 3_000 + 1)
        }
    )
    assert outcome.result == "created"


def test_a_template_over_the_limit_is_refused_before_anything_is_sent(service: Service) -> None:
    queue = {**QUEUE, "Metadata": {"Text": "x" * 1_000_000}}
    with pytest.raises(SettingsError, match="CloudFormation takes 1,000,000"):
        service.plan({"Queue": queue})


def test_a_creation_that_fails_leaves_nothing_and_says_why(service: Service) -> None:
    with pytest.raises(StackError) as caught:
        service.provision({"Broken": BROKEN})
    first, last = str(caught.value).splitlines()
    assert first.startswith(f"Stack {service.stack!r} was not created: Broken: ")
    assert last == "Nothing is left of it; correct the cause and retry."
    assert service.aws.stack(service.stack) is None
    assert service.provision({"Queue": QUEUE}).result == "created"


def test_a_failure_that_only_the_stack_explains_is_explained(service: Service) -> None:
    with pytest.raises(StackError, match="Validation failed"):
        service.provision({"Taken": TAKEN})
    assert service.aws.stack(service.stack) is None


def test_an_update_that_fails_is_rolled_back_and_says_why(service: Service) -> None:
    service.provision({"Queue": QUEUE})
    with pytest.raises(StackError) as caught:
        service.provision({"Queue": QUEUE, "Broken": BROKEN})
    assert str(caught.value).startswith(f"Stack {service.stack!r} rolled back: Broken: ")
    assert service.provision({"Queue": QUEUE}).result == "unchanged"


def test_a_template_that_aws_refuses_leaves_nothing(service: Service) -> None:
    with pytest.raises((AwsError, StackError), match="Nonsense"):
        service.provision({"Bad": {"Type": "AWS::Nonsense::Thing"}})
    assert service.aws.stack(service.stack) is None


def test_a_preview_of_a_new_stack_leaves_none_and_uploads_nothing(service: Service) -> None:
    outcome = service.preview({"Queue": QUEUE})
    assert (outcome.result, len(outcome.changes)) == ("planned", 1)
    assert service.aws.stack(service.stack) is None
    assert not service.holds_artifact()


def test_a_preview_of_a_stack_leaves_it_as_it_is(service: Service) -> None:
    service.provision({"Queue": QUEUE})
    outcome = service.preview({"Queue": QUEUE, "Other": QUEUE})
    assert [change.logical_id for change in outcome.changes] == ["Other"]
    assert [one.logical_id for one in service.aws.resources(service.stack)] == ["Queue"]
    assert service.preview({"Queue": QUEUE}).result == "unchanged"


def test_a_change_set_that_was_never_executed_is_no_obstacle(
    service: Service, cloudformation: Any
) -> None:
    cloudformation.create_change_set(
        StackName=service.stack,
        ChangeSetName="left-over",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Queue": QUEUE}}),
    )
    assert service.provision({"Queue": QUEUE}).result == "created"


class NeverReady(Aws):
    """Its change sets stay in the making, and cannot be deleted while they are."""

    def change_set(self, arn: str, stack: str) -> ChangeSet:
        return replace(super().change_set(arn, stack), status="CREATE_IN_PROGRESS")

    def delete_change_set(self, arn: str, stack: str) -> None:
        raise AwsError("The change set cannot be deleted now.")


def test_ctrl_c_before_the_change_set_is_ready_leaves_no_stack(
    service: Service, endpoint: str, region: str
) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    aws = NeverReady(region, endpoint, credentials=LOCAL_CREDENTIALS)
    time = Time(wake=press)
    with pytest.raises(KeyboardInterrupt):
        preview(
            aws,
            survey(aws, service.settings()),
            service.plan({"Queue": QUEUE}),
            Console(service.said.append),
            Pace(time.clock, time.sleep),
        )
    assert service.aws.stack(service.stack) is None


class Refused(Aws):
    """Change sets can be made, not executed."""

    def execute_change_set(self, arn: str, stack: str) -> None:
        raise AwsError("AWS denied cloudformation:ExecuteChangeSet.")


class Unheard(Aws):
    """Ctrl-C while the newest event is asked for."""

    def last_event(self, stack: str) -> str:
        raise KeyboardInterrupt


@pytest.mark.parametrize(("kind", "error"), [(Refused, AwsError), (Unheard, KeyboardInterrupt)])
def test_a_change_set_that_is_not_executed_is_taken_back_with_its_stack(
    service: Service, endpoint: str, region: str, kind: type[Aws], error: type[BaseException]
) -> None:
    service.aws = kind(region, endpoint, credentials=LOCAL_CREDENTIALS)
    with pytest.raises(error):
        service.provision({"Queue": QUEUE})
    assert service.aws.stack(service.stack) is None


class Pressed(Aws):
    """Ctrl-C while the order to execute is on its way."""

    def execute_change_set(self, arn: str, stack: str) -> None:
        super().execute_change_set(arn, stack)
        raise KeyboardInterrupt


def test_ctrl_c_during_the_order_says_that_the_stack_goes_on(
    service: Service, endpoint: str, region: str
) -> None:
    service.aws = Pressed(region, endpoint, credentials=LOCAL_CREDENTIALS)
    with pytest.raises(KeyboardInterrupt, match="goes on in AWS; look at it with: twofold status"):
        service.provision({"Queue": QUEUE})
    assert service.aws.stack(service.stack) is not None


class Lingering(Aws):
    """Deletes a stack as AWS does: after a while."""

    looks = 0

    def stack(self, name: str) -> Stack | None:
        found = super().stack(name)
        gone = found is None or found.status == "DELETE_COMPLETE"
        if name.startswith("arn:") and gone and self.looks < 3:
            self.looks += 1
            return Stack(name, "hello-dev", "DELETE_IN_PROGRESS", "", {})
        return found


def test_a_preview_ends_when_the_empty_stack_is_gone(
    service: Service, endpoint: str, region: str
) -> None:
    aws, time = Lingering(region, endpoint, credentials=LOCAL_CREDENTIALS), Time()
    pace = Pace(time.clock, time.sleep)
    plan, console = service.plan({"Queue": QUEUE}), Console(service.said.append)
    assert preview(aws, survey(aws, service.settings()), plan, console, pace).result == "planned"
    assert time.slept[-3:] == [0.5] * 3


class Hurried(Aws):
    """Somebody else executes each change set before it is deleted."""

    def delete_change_set(self, arn: str, stack: str) -> None:
        self.execute_change_set(arn, stack)


def test_a_preview_leaves_a_stack_that_somebody_else_created_meanwhile(
    service: Service, endpoint: str, region: str
) -> None:
    aws = Hurried(region, endpoint, credentials=LOCAL_CREDENTIALS)
    console = Console(service.said.append)
    destination = survey(aws, service.settings())
    preview(aws, destination, service.plan({"Queue": QUEUE}), console)
    stack = service.aws.stack(service.stack)
    assert stack is not None
    assert stack.status.startswith("CREATE")


def test_rollback_complete_is_refused_before_anything_is_uploaded(
    service: Service, cloudformation: Any
) -> None:
    cloudformation.create_stack(
        StackName=service.stack,
        OnFailure="ROLLBACK",
        TemplateBody=json.dumps({"Resources": {"Broken": BROKEN}}),
    )
    with pytest.raises(Exception, match="ROLLBACK_COMPLETE"):
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=service.stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    with pytest.raises(StackError, match=r"ROLLBACK_COMPLETE .* --stage dev --region \S+$"):
        service.provision({"Queue": QUEUE})
    assert not service.holds_artifact()


def test_a_missing_bucket_is_found_before_anything_else(service: Service) -> None:
    with pytest.raises(AwsError, match="Bucket 'nobodys-bucket' does not exist"):
        survey(service.aws, service.settings(bucket="nobodys-bucket"))


def test_no_bucket_is_a_missing_setting(service: Service) -> None:
    with pytest.raises(SettingsError, match=r"bucket is not set\. Pass --bucket"):
        survey(service.aws, service.settings(bucket=None))


def test_a_bucket_in_another_region_names_both(service: Service, endpoint: str) -> None:
    Aws("us-west-2", endpoint, credentials=LOCAL_CREDENTIALS).make_bucket("far-away")
    with pytest.raises(AwsError) as caught:
        survey(service.aws, service.settings(bucket="far-away"))
    assert str(caught.value) == (
        f"Bucket 'far-away' is in us-west-2, but stack {service.stack!r} is in eu-central-1; "
        "both must be in one region. Pass --region us-west-2, or a --bucket in eu-central-1."
    )


def test_one_region_is_fine() -> None:
    in_same_region("artifacts", "eu-central-1", "hello-dev", "eu-central-1")


def test_what_is_retained_is_named(service: Service) -> None:
    service.provision({"Kept": {**QUEUE, "DeletionPolicy": "Retain"}, "Queue": QUEUE})
    stack = service.aws.stack(service.stack)
    assert stack is not None
    deleted = delete(service.aws, stack, Console(service.said.append), Hints("dev", "eu-central-1"))
    assert [one.logical_id for one in deleted.kept] == ["Kept"]
