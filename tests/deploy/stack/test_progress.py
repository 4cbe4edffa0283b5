"""From what AWS reports to lines, an end, and the causes of a failure."""

from __future__ import annotations

import pytest

from deploy.stack import Stack, StackEvent
from deploy.stack.hints import Hints
from deploy.stack.progress import Goal, Progress, failure_report, first_causes, observe
from tests.deploy.operations import event, own

HINTS = Hints("dev", "eu-central-1")
HERE = Hints("dev", "eu-central-1", local=True)


def looked(
    goal: Goal, status: str, *events: StackEvent, expected: frozenset[str] = frozenset()
) -> tuple[Progress, tuple[str, ...]]:
    stack = Stack("arn", "hello-dev", status, "", {})
    return observe(Progress("hello-dev", goal, expected, 0.0), stack, events, 12.0)


def test_a_line_says_how_far_it_is_and_how_long_it_took() -> None:
    _, lines = looked(
        Goal.CREATE,
        "CREATE_IN_PROGRESS",
        event("Role", "CREATE_IN_PROGRESS"),
        event("Role", "CREATE_IN_PROGRESS", "Resource creation Initiated", number=1),
        event("Role", "CREATE_COMPLETE"),
        expected=frozenset(["Role", "Function"]),
    )
    assert lines == (
        "    12 s    0 of 2  CREATE_IN_PROGRESS   Role",
        "    12 s    1 of 2  CREATE_COMPLETE      Role",
    )


def test_what_does_not_change_is_not_shown() -> None:
    progress, lines = looked(
        Goal.UPDATE,
        "UPDATE_IN_PROGRESS",
        event("Unconcerned", "UPDATE_COMPLETE"),
        event("Function", "UPDATE_COMPLETE"),
        expected=frozenset(["Function"]),
    )
    assert [line.split()[-1] for line in lines] == ["Function"]
    assert progress.done == 1


def test_a_failure_is_shown_with_its_reason_whoever_fails() -> None:
    _, lines = looked(
        Goal.UPDATE,
        "UPDATE_IN_PROGRESS",
        event("Other", "UPDATE_FAILED", "No such key"),
        expected=frozenset(["Function"]),
    )
    assert lines[0].endswith("UPDATE_FAILED        Other: No such key")


def test_signals_are_shown() -> None:
    reason = "Received SUCCESS signal with UniqueId i-1"
    _, lines = looked(
        Goal.CREATE, "CREATE_IN_PROGRESS", event("Fleet", "CREATE_IN_PROGRESS", reason)
    )
    assert lines[0].endswith(f"Fleet: {reason}")


@pytest.mark.parametrize(
    "reason",
    [
        "Terminating instance(s) [i-1]; replacing with 0 new instance(s).",
        "Temporarily setting autoscaling group MinSize and DesiredCapacity to 2.",
    ],
)
def test_what_happens_to_instances_is_shown(reason: str) -> None:
    _, lines = looked(
        Goal.UPDATE, "UPDATE_IN_PROGRESS", event("Fleet", "UPDATE_IN_PROGRESS", reason)
    )
    assert lines[0].endswith(f"Fleet: {reason}")


def test_the_end_of_the_update_before_is_not_the_end_of_this_one() -> None:
    progress, _ = looked(Goal.UPDATE, "UPDATE_COMPLETE")
    assert not progress.ended
    progress, _ = looked(Goal.UPDATE, "UPDATE_COMPLETE", own("UPDATE_COMPLETE"))
    assert progress.ended
    assert progress.succeeded


@pytest.mark.parametrize(
    ("goal", "status"),
    [
        (Goal.CREATE, "CREATE_IN_PROGRESS"),
        (Goal.CREATE, "CREATE_FAILED"),
        (Goal.CREATE, "DELETE_IN_PROGRESS"),
        (Goal.CREATE, "ROLLBACK_IN_PROGRESS"),
        (Goal.UPDATE, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        (Goal.UPDATE, "UPDATE_ROLLBACK_IN_PROGRESS"),
        (Goal.DELETE, "DELETE_IN_PROGRESS"),
    ],
)
def test_on_the_way_is_not_the_end(goal: Goal, status: str) -> None:
    progress, _ = looked(goal, status, own(status))
    assert not progress.ended


@pytest.mark.parametrize(
    ("goal", "status"),
    [
        (Goal.CREATE, "DELETE_COMPLETE"),
        (Goal.CREATE, "ROLLBACK_COMPLETE"),
        (Goal.CREATE, "ROLLBACK_FAILED"),
        (Goal.UPDATE, "UPDATE_ROLLBACK_COMPLETE"),
        (Goal.UPDATE, "UPDATE_ROLLBACK_FAILED"),
        (Goal.DELETE, "DELETE_FAILED"),
    ],
)
def test_an_end_that_was_not_asked_for_is_no_success(goal: Goal, status: str) -> None:
    progress, _ = looked(goal, status, own(status))
    assert progress.ended
    assert not progress.succeeded


def test_a_stack_that_is_not_found_any_more_is_deleted() -> None:
    progress, _ = observe(Progress("hello-dev", Goal.DELETE, frozenset(), 0.0), None, (), 1.0)
    assert progress.succeeded


def test_a_stack_that_somebody_else_deleted_meanwhile_is_deleted() -> None:
    before = Progress("hello-dev", Goal.DELETE, frozenset(), 0.0, seen="its last event")
    gone = Stack("arn", "hello-dev", "DELETE_COMPLETE", "", {})
    assert observe(before, gone, (), 1.0)[0].succeeded


def test_the_first_causes_leave_out_what_was_only_cancelled() -> None:
    causes = first_causes(
        [
            event("Role", "CREATE_FAILED", "Resource creation cancelled"),
            event("Function", "CREATE_FAILED", "No such key"),
            event("Function", "DELETE_FAILED", "and again"),
            event("Group", "UPDATE_FAILED", "Resource update canceled"),
            own("CREATE_FAILED", "The following resource(s) failed to create: [Function]."),
        ]
    )
    assert causes == ("Function: No such key.",)


def test_missing_signals_are_counted_and_timed() -> None:
    causes = first_causes(
        [
            event("ServiceFleet", "CREATE_IN_PROGRESS", second=5),
            event(
                "ServiceFleet", "CREATE_IN_PROGRESS", "Received SUCCESS signal with UniqueId i-1"
            ),
            event(
                "ServiceFleet",
                "CREATE_FAILED",
                "Failed to receive 2 resource signal(s) within the specified duration",
                second=605,
            ),
        ]
    )
    assert causes == ("ServiceFleet got 1 of 3 signals in 600 s.",)


def failed(goal: Goal, status: str, *events: StackEvent, local: bool = False) -> str:
    progress, _ = looked(goal, status, *events, own(status))
    return failure_report(progress, HERE if local else HINTS)


def test_a_fleet_without_signals_is_reported_as_such() -> None:
    report = failed(
        Goal.UPDATE,
        "UPDATE_ROLLBACK_COMPLETE",
        event("ServiceFleet", "UPDATE_IN_PROGRESS"),
        event(
            "ServiceFleet",
            "UPDATE_FAILED",
            "Failed to receive 1 resource signal(s) for the current batch.",
            second=600,
        ),
    )
    assert report == (
        "Stack 'hello-dev' rolled back: ServiceFleet got 0 of 1 signals in 600 s.\n"
        "What ran before runs on; correct the cause and retry."
    )


REQUIREMENT = "Unable to satisfy 100% MinSuccessfulInstancesPercent requirement"


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (
            f"Received 1 SUCCESS signal(s) out of 3.  {REQUIREMENT}",
            "ServiceFleet got 1 of 3 signals in 600 s.",
        ),
        (
            f"Received 1 FAILURE signal(s) out of 3.  {REQUIREMENT}",
            "ServiceFleet: 1 of 3 instances signalled a failure.",
        ),
    ],
)
def test_signals_that_were_not_enough_are_counted(reason: str, cause: str) -> None:
    began = event("ServiceFleet", "UPDATE_IN_PROGRESS", second=5)
    failed = event("ServiceFleet", "UPDATE_FAILED", reason, second=605)
    assert first_causes([own("UPDATE_IN_PROGRESS"), began, failed]) == (cause,)


@pytest.mark.parametrize(
    ("goal", "status", "first", "last"),
    [
        (
            Goal.CREATE,
            "DELETE_COMPLETE",
            "was not created: Role: denied.",
            "Nothing is left of it; correct the cause and retry.",
        ),
        (
            Goal.CREATE,
            "ROLLBACK_COMPLETE",
            "rolled back: Role: denied.",
            "Delete it with: twofold delete --stage dev --region eu-central-1",
        ),
        (
            Goal.UPDATE,
            "UPDATE_ROLLBACK_FAILED",
            "could not be rolled back: Role: denied.",
            "Remove the cause, then run: "
            "aws cloudformation continue-update-rollback "
            "--region eu-central-1 --stack-name hello-dev",
        ),
        (
            Goal.DELETE,
            "DELETE_FAILED",
            "could not be deleted: Role: denied.",
            "Remove what is in the way, then run: twofold delete --stage dev --region eu-central-1",
        ),
    ],
)
def test_each_failed_end_says_what_it_means_and_what_to_do(
    goal: Goal, status: str, first: str, last: str
) -> None:
    lines = failed(goal, status, event("Role", "CREATE_FAILED", "denied")).splitlines()
    assert lines == [f"Stack 'hello-dev' {first}", last]


def test_on_a_laptop_no_command_is_offered_that_asks_the_real_aws() -> None:
    gone = event("Role", "UPDATE_FAILED", "denied")
    report = failed(Goal.UPDATE, "UPDATE_ROLLBACK_FAILED", gone, local=True)
    assert report == (
        "Stack 'hello-dev' could not be rolled back: Role: denied.\n"
        "Delete it with: twofold delete --stage dev --local"
    )


def test_further_causes_follow_on_lines_of_their_own() -> None:
    report = failed(
        Goal.UPDATE,
        "UPDATE_ROLLBACK_COMPLETE",
        event("Role", "UPDATE_FAILED", "denied."),
        event("Queue", "UPDATE_FAILED", "too long"),
    )
    assert report.splitlines()[1] == "  Queue: too long."
