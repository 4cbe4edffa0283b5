"""What may be done to a stack in each of its states, and how a plan reads."""

from __future__ import annotations

import pytest

from deploy.errors import StackError
from deploy.stack import Change, ChangeSet, ChangeSetType, Stack, change_set_type, plan_lines
from deploy.stack.hints import Hints

HINTS = Hints("dev", "eu-central-1")
HERE = Hints("dev", "eu-central-1", local=True)


def stack(status: str, reason: str = "") -> Stack:
    return Stack("arn:stack", "hello-dev", status, reason, {})


def refusal(status: str, reason: str = "", *, local: bool = False) -> str:
    with pytest.raises(StackError) as caught:
        change_set_type(stack(status, reason), HERE if local else HINTS)
    return str(caught.value)


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "DELETE_COMPLETE"])
def test_what_was_never_created_or_is_gone_is_created(status: str) -> None:
    assert change_set_type(stack(status), HINTS) is ChangeSetType.CREATE


def test_no_stack_is_created() -> None:
    assert change_set_type(None, HINTS) is ChangeSetType.CREATE


@pytest.mark.parametrize(
    "status",
    ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"],
)
def test_a_stack_at_rest_is_updated(status: str) -> None:
    assert change_set_type(stack(status), HINTS) is ChangeSetType.UPDATE


def test_rollback_complete_is_a_dead_end_that_says_how_to_get_out() -> None:
    assert refusal("ROLLBACK_COMPLETE") == (
        "Stack 'hello-dev' is in ROLLBACK_COMPLETE and cannot be updated. "
        "Delete it with: twofold delete --stage dev --region eu-central-1"
    )


@pytest.mark.parametrize("status", ["ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"])
def test_other_dead_ends_say_the_same(status: str) -> None:
    assert refusal(status).endswith(f"cannot be updated. Delete it with: {HINTS.delete}")


def test_a_failed_rollback_of_an_update_names_its_reason_and_the_way_on() -> None:
    assert refusal("UPDATE_ROLLBACK_FAILED", "ServiceFunction is gone") == (
        "Stack 'hello-dev' is in UPDATE_ROLLBACK_FAILED and cannot be updated: "
        "ServiceFunction is gone. Remove the cause, then run: "
        "aws cloudformation continue-update-rollback "
        "--region eu-central-1 --stack-name hello-dev"
    )


def test_on_a_laptop_a_failed_rollback_of_an_update_is_a_dead_end() -> None:
    assert refusal("UPDATE_ROLLBACK_FAILED", "ServiceFunction is gone", local=True) == (
        "Stack 'hello-dev' is in UPDATE_ROLLBACK_FAILED and cannot be updated: "
        "ServiceFunction is gone. Delete it with: twofold delete --stage dev --local"
    )


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_a_stack_that_somebody_changes_is_left_alone(status: str) -> None:
    assert refusal(status) == (
        f"Stack 'hello-dev' is in {status}: somebody else is changing it. Wait for the end "
        f"({HINTS.status} shows it) and run the same command again."
    )


def test_a_stack_that_is_being_deleted_is_waited_for() -> None:
    message = refusal("DELETE_IN_PROGRESS")
    assert message.startswith("Stack 'hello-dev' is in DELETE_IN_PROGRESS: it is being deleted. ")


def test_a_state_that_nobody_knows_is_named() -> None:
    assert "is in NEW_STATE, which twofold does not know" in refusal("NEW_STATE")


@pytest.mark.parametrize(
    ("status", "reason", "empty"),
    [
        ("FAILED", "The submitted information didn't contain changes. Submit different", True),
        ("FAILED", "No updates are to be performed.", True),
        ("FAILED", "Template error: instance of Fn::GetAtt references undefined", False),
        ("CREATE_COMPLETE", "", False),
    ],
)
def test_both_wordings_of_an_empty_change_set_are_known(
    status: str, reason: str, empty: bool
) -> None:
    assert ChangeSet("arn", "arn:stack", status, reason, ()).is_empty is empty


def test_a_plan_counts_and_names_what_changes() -> None:
    changes = [
        Change("Add", "Topic", "AWS::SNS::Topic"),
        Change("Modify", "Group", "AWS::X::Group", "True", ("VPCZone", "Tags")),
        Change("Modify", "Url", "AWS::Lambda::Url", "Conditional", ("Arn",)),
        Change("Remove", "Queue", "AWS::SQS::Queue"),
    ]
    assert plan_lines("hello-dev", ChangeSetType.UPDATE, changes) == (
        "Stack 'hello-dev' will be updated: 1 to add, 2 to modify (1 by replacement), 1 to remove.",
        "  Add    Topic (AWS::SNS::Topic)",
        "  Modify Group (AWS::X::Group): VPCZone, Tags [replaces it]",
        "  Modify Url (AWS::Lambda::Url): Arn [may replace it]",
        "  Remove Queue (AWS::SQS::Queue)",
    )
