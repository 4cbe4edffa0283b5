"""What a stack is shown as while its instances are not yet what the embedded AWS says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deploy.local.guests.phase import Phase, is_premature, shown_status
from deploy.stack import STACK_TYPE, StackEvent

EVENT = StackEvent("1", datetime.now(UTC), "ServiceFleet", "", "AWS::X::Group", "", "")


@pytest.mark.parametrize(
    ("phase", "status", "shown"),
    [
        (Phase.IDLE, "UPDATE_COMPLETE", "UPDATE_COMPLETE"),
        (Phase.CREATING, "CREATE_COMPLETE", "CREATE_IN_PROGRESS"),
        (Phase.CREATING, "ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"),
        (Phase.UNDOING_CREATION, "CREATE_COMPLETE", "ROLLBACK_IN_PROGRESS"),
        (Phase.UNDOING_CREATION, "DELETE_COMPLETE", "DELETE_COMPLETE"),
        (Phase.UPDATING, "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS"),
        (Phase.UPDATING, "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
        (Phase.ROLLING_BACK, "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"),
        (Phase.ROLLING_BACK, "UPDATE_COMPLETE", "UPDATE_ROLLBACK_IN_PROGRESS"),
        (Phase.ROLLED_BACK, "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
        (Phase.ROLLED_BACK, "DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS"),
        (Phase.ROLLBACK_FAILED, "UPDATE_COMPLETE", "UPDATE_ROLLBACK_FAILED"),
    ],
)
def test_a_status_is_shown_as_on_aws(phase: Phase, status: str, shown: str) -> None:
    assert shown_status(phase, status) == shown


@pytest.mark.parametrize("phase", Phase)
def test_nobody_waits_for_signals_when_all_is_done(phase: Phase) -> None:
    waiting = phase in (Phase.CREATING, Phase.UPDATING, Phase.ROLLING_BACK)
    assert phase.takes_signals == waiting


@pytest.mark.parametrize(
    ("phase", "name", "status", "premature"),
    [
        (Phase.CREATING, "ServiceFleet", "CREATE_COMPLETE", True),
        (Phase.CREATING, "ServiceFleet", "CREATE_IN_PROGRESS", False),
        (Phase.CREATING, "ServiceFleet", "CREATE_FAILED", False),
        (Phase.CREATING, "ServiceFunction", "CREATE_COMPLETE", False),
        (Phase.CREATING, "hello-dev", "CREATE_COMPLETE", True),
        (Phase.CREATING, "hello-dev", "CREATE_IN_PROGRESS", False),
        (Phase.UPDATING, "hello-dev", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True),
        (Phase.UPDATING, "hello-dev", "UPDATE_IN_PROGRESS", False),
        (Phase.ROLLING_BACK, "hello-dev", "UPDATE_IN_PROGRESS", True),
        (Phase.ROLLING_BACK, "ServiceFleet", "UPDATE_IN_PROGRESS", False),
        (Phase.ROLLING_BACK, "ServiceFleet", "UPDATE_COMPLETE", True),
        (Phase.IDLE, "ServiceFleet", "UPDATE_COMPLETE", False),
        (Phase.IDLE, "hello-dev", "UPDATE_COMPLETE", False),
    ],
)
def test_what_is_said_too_early_is_held_back(
    phase: Phase, name: str, status: str, premature: bool
) -> None:
    kind = STACK_TYPE if name == "hello-dev" else EVENT.type
    event = replace(EVENT, logical_id=name, status=status, type=kind)
    assert is_premature(phase, event) == premature
