"""What is refused before a deletion, and what is said to stay after one."""

from __future__ import annotations

import pytest

from deploy.aws import Aws
from deploy.console import Console
from deploy.errors import StackError
from deploy.stack import Stack, StackEvent
from deploy.stack.deletion import delete, kept
from deploy.stack.hints import Hints
from deploy.stack.progress import Goal, Progress
from tests.deploy.operations import START


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_a_stack_that_is_being_updated_is_left_alone(status: str) -> None:
    said: list[str] = []
    stack = Stack("arn", "hello-dev", status, "", {})
    with pytest.raises(StackError) as caught:
        delete(Aws("eu-central-1"), stack, Console(said.append), Hints("dev", "eu-central-1"))
    assert str(caught.value) == (
        f"Stack 'hello-dev' is in {status} and cannot be deleted now. "
        "Wait for the end (twofold status --stage dev --region eu-central-1 shows it) "
        "and run the same command again."
    )
    assert said == []


def skipped(*types: str) -> Progress:
    events = tuple(
        StackEvent(f"{n}", START, f"R{n}", f"p{n}", kind, "DELETE_SKIPPED", "")
        for n, kind in enumerate(types)
    )
    return Progress("hello-dev", Goal.DELETE, frozenset(), 0.0, events=events)


def test_a_version_goes_with_its_function() -> None:
    assert kept(skipped("AWS::Lambda::Version")) == ()


def test_a_version_stays_with_its_function() -> None:
    stays = kept(skipped("AWS::Lambda::Version", "AWS::Lambda::Function"))
    assert [one.logical_id for one in stays] == ["R0", "R1"]


def test_a_retained_log_group_stays() -> None:
    assert [one.physical_id for one in kept(skipped("AWS::Logs::LogGroup"))] == ["p0"]
