"""Each gap that was found is closed, behind every front end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy.parity.known import KNOWN, MODE, OWN_HOST, TIMEOUT
from tests.parity.case import Case
from tests.parity.comparison import Sides
from tests.parity.hand_picked import REQUESTS, RESPONSES
from tests.parity.tally import PROPERTY, Tally


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
def test_the_application_sees_the_same(sides: Sides, case: Case) -> None:
    assert "\n".join(map(str, sides.differences(case))) == ""


@pytest.mark.parametrize("case", RESPONSES.values(), ids=RESPONSES)
def test_the_client_gets_the_same(sides: Sides, case: Case) -> None:
    assert "\n".join(map(str, sides.differences(case))) == ""


def test_every_known_difference_is_met(
    sides: Sides, record_property: Callable[[str, object], None]
) -> None:
    sides.tally = Tally()
    cases = (*REQUESTS.values(), *RESPONSES.values())
    found = [one for case in cases for one in sides.differences(case)]
    record_property(PROPERTY, sides.tally.dumped())
    met = {what for what, _ in sides.tally.met}
    unmet = [TIMEOUT.what, MODE.what, OWN_HOST.what]
    assert [known.what for known in KNOWN if known.what not in met] == unmet
    assert found == []
