"""The next step of a group: as stacks on AWS show it, and what holds for every group."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.guests.policies import CreationPolicy, UpdatePolicy
from deploy.local.guests.rolling import (
    Done,
    Failed,
    Launch,
    Signal,
    Size,
    Standing,
    Step,
    Terminate,
    Update,
    Wait,
    create,
    keep,
)

POLICY = UpdatePolicy(batch=1, in_service=1, percent=100, pause=600.0, signals=True)


def old(*names: str) -> tuple[Standing, ...]:
    return tuple(Standing(name, "1", signal="SUCCESS") for name in names)


def new(name: str, signal: Signal = "", *, since: float | None = 0.0) -> Standing:
    return Standing(name, "2", since, signal)


def updated(
    *members: Standing, policy: UpdatePolicy = POLICY, desired: int = 1, now: float = 5.0
) -> Step:
    return Update(policy, Size(desired, desired + 1), "2", members).step(now)


# A rolling update


def test_with_room_the_new_one_comes_first() -> None:
    assert updated(*old("a")) == Launch(1)


def test_the_old_one_waits_for_the_new_ones_signal() -> None:
    assert updated(*old("a"), new("b", since=5.0)) == Wait(605.0)


def test_after_the_signal_the_old_one_goes_and_nothing_comes_for_it() -> None:
    assert updated(*old("a"), new("b", "SUCCESS")) == Terminate(("a",), 0)


def test_with_new_ones_only_it_is_done() -> None:
    assert updated(new("b", "SUCCESS")) == Done()


def test_without_room_the_old_one_goes_first() -> None:
    update = Update(replace(POLICY, in_service=0), Size(1, 1), "2", old("a"))
    assert update.step(5.0) == Terminate(("a",), 1)
    assert replace(update, members=()).step(5.0) == Launch(1)
    assert replace(update, members=(new("b"),)).step(5.0) == Wait(600.0)


def test_three_are_replaced_as_on_aws() -> None:
    """The events of such a stack: temporarily 4; one new; three times one goes, and the last
    time nothing comes for it."""
    members = list(old("a", "b", "c"))
    policy, names = replace(POLICY, in_service=3), iter("xyz")
    steps: list[Step] = []
    while not isinstance(step := Update(policy, Size(3, 5), "2", tuple(members)).step(5.0), Done):
        steps.append(step)
        if isinstance(step, Launch):
            members += [new(next(names), "SUCCESS") for _ in range(step.count)]
        elif isinstance(step, Terminate):
            members = [one for one in members if one.instance not in step.instances]
    assert Update(policy, Size(3, 5), "2", old("a", "b", "c")).temporary_size == 4
    assert steps == [
        Launch(1),
        Terminate(("a",), 1),
        Launch(1),
        Terminate(("b",), 1),
        Launch(1),
        Terminate(("c",), 0),
    ]


def test_a_failure_signal_fails_it() -> None:
    assert updated(*old("a"), new("b", "FAILURE")) == Failed(
        "Received 1 FAILURE signal(s) out of 1.  Unable to satisfy 100% "
        "MinSuccessfulInstancesPercent requirement"
    )


def test_silence_fails_it_when_the_time_is_over() -> None:
    assert updated(*old("a"), new("b"), now=599.9) == Wait(600.0)
    assert updated(*old("a"), new("b"), now=600.0) == Failed(
        "Received 0 SUCCESS signal(s) out of 1.  Unable to satisfy 100% "
        "MinSuccessfulInstancesPercent requirement",
        silent=1,
    )


def test_a_new_one_that_ended_is_not_waited_for() -> None:
    step = updated(*old("a"), replace(new("b"), runs=False))
    assert isinstance(step, Failed)
    assert step.silent == 1


def test_a_failure_within_the_percentage_is_passed_over() -> None:
    policy = replace(POLICY, percent=50)
    assert updated(*old("a"), new("b", "FAILURE"), policy=policy, desired=2) == Terminate(("a",), 1)


def test_fifty_percent_of_five_are_three() -> None:
    policy = UpdatePolicy(batch=5, in_service=0, percent=50, pause=60.0, signals=True)
    two = [new("a", "FAILURE"), new("b", "FAILURE")]
    rest = [new(name) for name in "cde"]
    assert Update(policy, Size(5, 5), "2", (*two, *rest)).step(5.0) == Wait(60.0)
    three = (*two, new("c", "FAILURE"), *rest[1:])
    step = Update(policy, Size(5, 5), "2", three).step(5.0)
    assert isinstance(step, Failed)
    assert step.reason.startswith("Received 3 FAILURE signal(s) out of 5.")


def test_without_signals_it_pauses() -> None:
    policy = UpdatePolicy(in_service=1, pause=60.0, signals=False)
    assert updated(*old("a"), new("b"), policy=policy, now=59.0) == Wait(60.0)
    assert updated(*old("a"), new("b"), policy=policy, now=60.0) == Terminate(("a",), 0)


def test_an_old_one_that_ended_goes_at_once() -> None:
    lost = replace(old("a")[0], runs=False)
    assert updated(lost, *old("b"), new("c"), desired=2) == Wait(600.0)
    assert updated(*old("b"), lost, desired=2) == Terminate(("a",), 1)


def test_going_back_replaces_the_new_ones_only() -> None:
    """As after a failure: what ran before runs on, and is not waited for again."""
    members = (*old("a"), new("b", "FAILURE"))
    assert Update(POLICY, Size(1, 2), "1", members).step(5.0) == Terminate(("b",), 0)


def test_what_is_not_waited_for_does_not_count_among_the_signals() -> None:
    members = (*old("a", "b"), replace(new("c", "FAILURE"), version="1"))
    step = Update(POLICY, Size(3, 4), "1", members).step(5.0)
    assert isinstance(step, Failed)
    assert step.reason.startswith("Received 1 FAILURE signal(s) out of 1.")


def test_a_policy_that_leaves_no_room_is_refused() -> None:
    update = Update(replace(POLICY, in_service=2), Size(2, 2), "2", old("a", "b"))
    assert update.step(5.0) == Failed(
        "MinInstancesInService must be less than the autoscaling group's MaxSize"
    )
    assert replace(update, version="1").step(5.0) == Done()


# A creation


def created(*members: Standing, policy: CreationPolicy | None, now: float = 5.0) -> Step:
    return create(policy, Size(2, 3), members, now)


def test_a_new_group_comes_up_at_once_and_is_waited_for() -> None:
    policy = CreationPolicy(count=2, timeout=600.0)
    assert created(policy=policy) == Launch(2)
    assert created(new("a"), new("b"), policy=policy) == Wait(600.0)
    assert created(new("a", "SUCCESS"), new("b"), policy=policy) == Wait(600.0)
    assert created(new("a", "SUCCESS"), new("b", "SUCCESS"), policy=policy) == Done()


def test_without_a_policy_a_new_group_is_not_waited_for() -> None:
    assert created(new("a"), new("b"), policy=None) == Done()


def test_fewer_signals_than_instances_may_do() -> None:
    policy = CreationPolicy(count=1, timeout=600.0)
    assert created(new("a", "SUCCESS"), new("b"), policy=policy) == Done()


@pytest.mark.parametrize(
    ("signal", "now", "reason"),
    [
        ("FAILURE", 5.0, "Received 1 FAILURE signal(s) out of 2.  Unable to satisfy 100% "),
        ("", 600.0, "Received 1 SUCCESS signal(s) out of 2.  Unable to satisfy 100% "),
    ],
)
def test_a_creation_fails_by_a_signal_or_by_silence(
    signal: Signal, now: float, reason: str
) -> None:
    policy = CreationPolicy(count=2, timeout=600.0)
    step = created(new("a", "SUCCESS"), new("b", signal), policy=policy, now=now)
    assert isinstance(step, Failed)
    assert step.reason == reason + "MinSuccessfulInstancesPercent requirement"


def test_one_failure_ends_the_wait_for_the_others() -> None:
    policy = CreationPolicy(count=2, timeout=600.0)
    assert isinstance(created(new("a"), new("b", "FAILURE"), policy=policy), Failed)


def test_a_percentage_of_the_signals_may_be_missing() -> None:
    policy = CreationPolicy(count=2, timeout=600.0, percent=50)
    members = (new("a", "SUCCESS"), new("b", "FAILURE"))
    assert created(*members, policy=policy) == Done()


# Its size


def test_the_group_grows_and_shrinks_to_its_size() -> None:
    assert keep(Size(3, 3), "1", old("a")) == Launch(2)
    assert keep(Size(1, 3), "1", old("a", "b", "c")) == Terminate(("a", "b"), 0)
    assert keep(Size(1, 3), "1", old("a")) == Done()


def test_what_is_of_another_version_goes_first() -> None:
    assert keep(Size(1, 3), "2", (new("a"), *old("b"))) == Terminate(("b",), 0)


def test_what_is_lost_is_replaced() -> None:
    members = (replace(old("a")[0], runs=False), *old("b"))
    assert keep(Size(2, 3), "1", members) == Terminate(("a",), 1)


# Whatever the group, whatever its instances do


@dataclass
class World:
    """A group whose instances signal as `behaviour` says, and a clock that goes on."""

    policy: UpdatePolicy
    size: Size
    behaviour: Callable[[], Signal]
    members: list[Standing] = field(default_factory=list)
    now: float = 0.0
    names: Callable[[], int] = itertools.count().__next__
    history: list[tuple[Standing, ...]] = field(default_factory=list)

    def add(self, version: str, since: float | None, signal: Signal) -> None:
        self.members.append(Standing(f"i-{self.names()}", version, since, signal))

    def played(self) -> Step:
        """The last step of the update."""
        for _ in range(1_000):
            step = Update(self.policy, self.size, "2", tuple(self.members)).step(self.now)
            if isinstance(step, Done | Failed):
                return step
            self.take(step)
            self.history.append(tuple(self.members))
        raise AssertionError("it does not end")

    def take(self, step: Step) -> None:
        if isinstance(step, Launch):
            for _ in range(step.count):
                self.add("2", self.now, self.behaviour())
        elif isinstance(step, Terminate):
            assert step.instances
            self.members = [one for one in self.members if one.instance not in step.instances]
        elif isinstance(step, Wait):
            assert step.until > self.now
            self.now = step.until


def in_service(members: tuple[Standing, ...]) -> int:
    """Those that answer for certain: what was there before, and what has said so."""
    return sum(one.since is None or one.signal == "SUCCESS" for one in members)


@st.composite
def worlds(draw: st.DrawFn, signals: tuple[Signal, ...]) -> World:
    maximum = draw(st.integers(1, 6))
    policy = UpdatePolicy(
        batch=draw(st.integers(1, 4)),
        in_service=draw(st.integers(0, maximum - 1)),
        percent=draw(st.integers(0, 100)) if len(signals) > 1 else 100,
        pause=draw(st.sampled_from([0.0, 60.0])),
        signals=True,
    )
    size = Size(draw(st.integers(0, maximum)), maximum)
    chosen = iter(draw(st.lists(st.sampled_from(signals), min_size=40, max_size=40)))
    world = World(policy, size, lambda: next(chosen, signals[0]))
    for _ in range(draw(st.integers(0, maximum))):
        world.add(draw(st.sampled_from(["1", "2"])), None, "")
    return world


@given(worlds(("SUCCESS", "FAILURE", "")))
def test_every_update_ends_and_never_has_more_than_the_maximum(world: World) -> None:
    start = len(world.members)
    step = world.played()
    assert max((len(one) for one in world.history), default=0) <= max(start, world.size.maximum)
    if isinstance(step, Done):
        assert all(one.version == "2" for one in world.members)
        assert len(world.members) >= world.size.desired


@given(worlds(("SUCCESS",)))
def test_an_update_keeps_what_it_promises_in_service(world: World) -> None:
    promised = min(world.policy.in_service, in_service(tuple(world.members)))
    assert isinstance(world.played(), Done)
    assert all(in_service(members) >= promised for members in world.history)


@given(worlds(("SUCCESS", "FAILURE", "")))
def test_with_all_to_succeed_a_failure_stops_it_before_an_old_one_goes(world: World) -> None:
    world.policy = replace(world.policy, percent=100)
    promised = min(world.policy.in_service, in_service(tuple(world.members)))
    step = world.played()
    failed = any(one.since is not None and one.signal != "SUCCESS" for one in world.members)
    assert isinstance(step, Failed) == failed
    assert all(in_service(members) >= promised for members in world.history)


@given(
    st.integers(0, 5),
    st.lists(st.tuples(st.sampled_from(["1", "2"]), st.booleans()), max_size=6),
)
def test_every_group_gets_to_its_size(desired: int, members: list[tuple[str, bool]]) -> None:
    world = World(POLICY, Size(desired, 6), lambda: "SUCCESS")
    for version, runs in members:
        world.members.append(Standing(f"i-{world.names()}", version, runs=runs))
    for _ in range(4):
        world.take(keep(world.size, "2", tuple(world.members)))
    assert keep(world.size, "2", tuple(world.members)) == Done()
    assert len(world.members) == desired
    assert all(one.runs for one in world.members)
