"""Each gap that was found is closed, behind every front end."""

from __future__ import annotations

import pytest

from tests.parity.case import Case
from tests.parity.comparison import Sides
from tests.parity.hand_picked import REQUESTS, RESPONSES


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
def test_the_application_sees_the_same(sides: Sides, case: Case) -> None:
    assert "\n".join(map(str, sides.differences(case))) == ""


@pytest.mark.parametrize("case", RESPONSES.values(), ids=RESPONSES)
def test_the_client_gets_the_same(sides: Sides, case: Case) -> None:
    assert "\n".join(map(str, sides.differences(case))) == ""
