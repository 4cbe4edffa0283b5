"""Waiting for a stack: until its end, not longer than the bound, and not against Ctrl-C."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from deploy.console import Console
from deploy.errors import AwsError, StackError
from deploy.stack import Stack, StackEvent
from deploy.stack.hints import Hints
from deploy.stack.progress import Goal, Progress
from deploy.stack.watch import Pace, Reporter, Waiting, watch
from tests.deploy.operations import Scripted, Time, event, own

CREATED = [
    ("CREATE_IN_PROGRESS", [own("CREATE_IN_PROGRESS"), event("Role", "CREATE_IN_PROGRESS")]),
    ("CREATE_IN_PROGRESS", [event("Role", "CREATE_COMPLETE")]),
    ("CREATE_COMPLETE", [own("CREATE_COMPLETE")]),
]


def watched(
    aws: Reporter,
    said: list[str] | None = None,
    time: Time | None = None,
    *,
    goal: Goal = Goal.CREATE,
    seen: str = "",
    local: bool = False,
) -> Progress:
    time = time or Time()
    offered = Hints("dev", "eu-central-1", local)
    waiting = Waiting("arn:stack", "hello-dev", goal, offered, frozenset(["Role"]), seen)
    lines: list[str] = [] if said is None else said
    console = Console(lines.append)
    return watch(aws, waiting, console, Pace(time.clock, time.sleep, bound=60))


def test_each_event_is_shown_once() -> None:
    said: list[str] = []
    watched(Scripted(CREATED), said)
    assert [line.split()[-2:] for line in said] == [
        ["CREATE_IN_PROGRESS", "hello-dev"],
        ["CREATE_IN_PROGRESS", "Role"],
        ["CREATE_COMPLETE", "Role"],
        ["CREATE_COMPLETE", "hello-dev"],
    ]


def test_events_from_before_are_not_shown() -> None:
    said: list[str] = []
    old = own("REVIEW_IN_PROGRESS")
    watched(Scripted(CREATED, before=[old]), said, seen=old.id)
    assert not any("REVIEW" in line for line in said)


def test_the_pauses_grow_up_to_three_seconds() -> None:
    time = Time()
    looks = [("CREATE_IN_PROGRESS", ())] * 25 + [("CREATE_COMPLETE", [own("CREATE_COMPLETE")])]
    watched(Scripted(looks), time=time)
    assert time.slept == sorted(time.slept)
    assert time.slept[0] == pytest.approx(0.05)
    assert time.slept[-1] <= 3.0


def test_a_failure_is_an_error_with_its_cause() -> None:
    looks = [
        ("UPDATE_IN_PROGRESS", [own("UPDATE_IN_PROGRESS")]),
        (
            "UPDATE_ROLLBACK_COMPLETE",
            [event("Role", "UPDATE_FAILED", "denied"), own("UPDATE_ROLLBACK_COMPLETE")],
        ),
    ]
    with pytest.raises(StackError, match="Stack 'hello-dev' rolled back: Role: denied"):
        watched(Scripted(looks), goal=Goal.UPDATE)


FAILED_BOOT = event(
    "ServiceFleet", "CREATE_IN_PROGRESS", "Received FAILURE signal with UniqueId i-0a1b"
)
UNBOOTED = [
    ("CREATE_IN_PROGRESS", [own("CREATE_IN_PROGRESS"), FAILED_BOOT]),
    ("DELETE_COMPLETE", [own("DELETE_COMPLETE")]),
]


def failing(aws: Reporter) -> list[str]:
    """The lines of the error."""
    with pytest.raises(StackError) as caught:
        watched(aws)
    return str(caught.value).splitlines()


def test_the_log_of_an_instance_that_did_not_boot_follows_the_causes() -> None:
    logs = {("/twofold/x", "i-0a1b/bootstrap"): [*map(str, range(30)), "user-data: error: why"]}
    lines = failing(Scripted(UNBOOTED, logs=logs))
    assert lines[0].startswith("Stack 'hello-dev' was not created: ")
    assert lines[1] == "  The end of the log of instance i-0a1b:"
    assert lines[2] == "    11"
    assert lines[-2] == "    user-data: error: why"
    assert lines[-1] == "Nothing is left of it; correct the cause and retry."
    assert len(lines) == 23


def test_a_log_that_comes_late_is_waited_for_as_long_as_the_stack_goes_on() -> None:
    class Late(Scripted):
        def log_lines(self, group: str, stream: str) -> Sequence[str]:
            return ["there"] if self.looked == 3 else ()

    going = ("DELETE_IN_PROGRESS", ())
    lines = failing(Late([UNBOOTED[0], going, going, UNBOOTED[1]]))
    assert lines[1:3] == ["  The end of the log of instance i-0a1b:", "    there"]


def test_an_instance_without_a_log_is_named() -> None:
    lines = failing(Scripted(UNBOOTED, logs={("/twofold/x", "i-0a1b/bootstrap"): []}))
    assert lines[1:-1] == ["  Instance i-0a1b sent no log."]


def test_the_logs_of_three_instances_are_enough() -> None:
    events = [
        event("ServiceFleet", "CREATE_IN_PROGRESS", f"Received FAILURE signal with UniqueId i-{n}")
        for n in range(4)
    ]
    logs = {("/twofold/x", f"i-{n}/bootstrap"): [f"line {n}"] for n in range(4)}
    going = ("CREATE_IN_PROGRESS", [own("CREATE_IN_PROGRESS"), *events])
    lines = failing(Scripted([going, UNBOOTED[1]], logs=logs))
    assert [line.strip() for line in lines if "line" in line] == ["line 0", "line 1", "line 2"]


def test_a_log_that_cannot_be_read_stops_nothing() -> None:
    class Silent(Scripted):
        def log_lines(self, group: str, stream: str) -> Sequence[str]:
            raise AwsError(f"AWS denied logs:GetLogEvents on {group}, {stream}.")

    assert failing(Silent(UNBOOTED))[1:-1] == [
        "  The log of instance i-0a1b cannot be read: "
        "AWS denied logs:GetLogEvents on /twofold/x, i-0a1b/bootstrap."
    ]


def test_a_silence_has_a_bound_and_its_end_says_that_the_stack_goes_on() -> None:
    time = Time()
    with pytest.raises(StackError) as caught:
        watched(Scripted([("CREATE_IN_PROGRESS", ())]), time=time)
    assert str(caught.value) == (
        "Stack 'hello-dev' is still in CREATE_IN_PROGRESS, and nothing was heard of it for "
        f"{time.now - 100:.0f} s. It goes on in AWS; look at it with: "
        "twofold status --stage dev --region eu-central-1"
    )
    assert 60 < time.now - 100 < 65


def test_an_operation_with_news_may_take_as_long_as_it_takes() -> None:
    time = Time()
    news: list[tuple[str, list[StackEvent]]] = [
        ("UPDATE_IN_PROGRESS", [event(f"Instance{number}", "UPDATE_IN_PROGRESS")])
        for number in range(20)
    ]
    slow = [look for one in news for look in (*[("UPDATE_IN_PROGRESS", [])] * 15, one)]
    done = ("UPDATE_COMPLETE", [own("UPDATE_COMPLETE")])
    assert watched(Scripted([*slow, done]), time=time, goal=Goal.UPDATE).succeeded
    assert time.now - 100 > 10 * 60


def test_ctrl_c_says_that_the_stack_goes_on() -> None:
    def press() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        watched(Scripted([("CREATE_IN_PROGRESS", ())]), time=Time(wake=press))
    assert str(caught.value) == (
        "Stack 'hello-dev' goes on in AWS; look at it with: "
        "twofold status --stage dev --region eu-central-1"
    )


def test_losing_aws_on_the_way_says_so_too() -> None:
    class Unreachable(Scripted):
        def events(self, stack: str, after: str = "") -> Sequence[StackEvent]:
            raise AwsError(f"AWS cannot be reached for {stack}{after}.")

    with pytest.raises(AwsError) as caught:
        watched(Unreachable(CREATED))
    assert str(caught.value).splitlines() == [
        "AWS cannot be reached for arn:stack.",
        "Stack 'hello-dev' goes on in AWS; look at it with: "
        "twofold status --stage dev --region eu-central-1",
    ]


def test_a_stack_that_vanishes_was_deleted() -> None:
    class Gone(Scripted):
        def stack(self, name: str) -> Stack | None:
            return None

    assert watched(Gone([("", ())]), goal=Goal.DELETE).succeeded


def test_the_hints_of_a_laptop_stay_on_the_laptop() -> None:
    status = "UPDATE_ROLLBACK_FAILED"
    assert Hints("dev", "eu-central-1", local=True).delete == "twofold delete --stage dev --local"
    with pytest.raises(StackError) as caught:
        watched(Scripted([(status, [own(status)])]), goal=Goal.UPDATE, local=True)
    assert str(caught.value).endswith("\nDelete it with: twofold delete --stage dev --local")
