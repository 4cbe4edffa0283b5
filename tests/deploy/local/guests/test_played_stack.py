"""What is remembered of a stack that is played, and what of the one before is not."""

from __future__ import annotations

from deploy.local.guests.phase import Phase
from deploy.local.guests.played_stack import PlayedStack


def played() -> PlayedStack:
    """A stack whose creation was played."""
    stack = PlayedStack(list[str]().append)
    stack.begin("arn:first", "hello-dev", Phase.CREATING)
    stack.is_group("hello-dev-ServiceFleet-1")
    stack.tell_stack("CREATE_COMPLETE")
    return stack


def test_of_another_stack_nothing_is_remembered() -> None:
    stack = played()
    stack.begin("arn:second", "hello-dev", Phase.CREATING)
    assert stack.group == ""
    assert stack.events == ()


def test_giving_a_change_up_stops_none_that_began_after_it() -> None:
    stack = played()
    first = stack.begin("arn:first", "hello-dev", Phase.UPDATING)
    second = stack.begin("arn:first", "hello-dev", Phase.UPDATING)
    phases = []
    for end in (stack.give_up, stack.withdraw):
        for number in (first, second):
            end(number)
            phases.append(stack.phase)
        second = stack.begin("arn:first", "hello-dev", Phase.UPDATING)
    assert phases == [Phase.UPDATING, Phase.IDLE] * 2


def test_an_update_of_the_same_stack_forgets_nothing() -> None:
    stack = played()
    stack.begin("arn:first", "hello-dev", Phase.UPDATING)
    assert stack.group == "hello-dev-ServiceFleet-1"
    assert [event.status for event in stack.events] == ["CREATE_COMPLETE"]
