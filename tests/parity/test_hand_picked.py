"""Each gap that was found is closed, behind every front end."""

from __future__ import annotations

import sys

import pytest

from deploy.parity.known import KNOWN
from tests.parity.case import Case
from tests.parity.comparison import Sides, Tally
from tests.parity.hand_picked import REQUESTS, RESPONSES


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
def test_the_application_sees_the_same(sides: Sides, case: Case) -> None:
    assert "\n".join(map(str, sides.differences(case))) == ""


@pytest.mark.parametrize("case", RESPONSES.values(), ids=RESPONSES)
def test_the_client_gets_the_same(sides: Sides, case: Case) -> None:
    assert "\n".join(map(str, sides.differences(case))) == ""


def test_every_known_difference_is_met(sides: Sides, capsys: pytest.CaptureFixture[str]) -> None:
    sides.tally = Tally()
    found = [
        one for case in (*REQUESTS.values(), *RESPONSES.values()) for one in sides.differences(case)
    ]
    with capsys.disabled():
        sys.stdout.write(f"\nhand-picked: {sides.tally}\n")
    met = {what for what, _ in sides.tally.met}
    assert [known.what for known in KNOWN if known.what not in met] == []
    assert found == []
