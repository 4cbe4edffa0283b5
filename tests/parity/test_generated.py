"""Whatever is asked and answered: the same in both runtimes, beyond what is known.

`CASES` (20,000) is how many are made, `SEED` the number that makes them; both are printed
at the end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.parity.case import Case
from tests.parity.comparison import Sides
from tests.parity.generated import requests, responses
from tests.parity.tally import PROPERTY, Tally

CASES = int(os.environ.get("CASES", "20000"))
SEED = int(os.environ.get("SEED", "20260312"))
PARTS = 8  # so that several test processes share the work; half are requests


@pytest.mark.parametrize("part", range(PARTS))
def test_generated_cases_are_the_same(
    part: int, sides: Sides, record_property: Callable[[str, object], None]
) -> None:
    sides.tally = Tally(seed=SEED)
    started = time.monotonic()
    made: st.SearchStrategy[Case] = requests() if part % 2 else responses()

    @seed(SEED + part)
    @settings(
        max_examples=-(-CASES // PARTS),
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(made)
    def same(case: Case) -> None:
        assert "\n".join(map(str, sides.differences(case))) == "", case

    try:
        same()
    finally:
        sides.tally.seconds = time.monotonic() - started
        record_property(PROPERTY, sides.tally.dumped())
    assert sides.tally.cases >= CASES // PARTS
