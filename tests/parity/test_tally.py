"""Counts survive their way out of a test process, and add up."""

from __future__ import annotations

from collections import Counter

from tests.parity.tally import Tally, loaded, together

ONE = Tally(2, 12, Counter({("cookies", "rest-api"): 3}), seed=7, seconds=1.5)
OTHER = Tally(1, 6, Counter({("cookies", "function-url"): 1, ("query", "rest-api"): 9}))


def test_what_is_dumped_is_loaded() -> None:
    assert loaded(ONE.dumped()) == ONE


def test_tallies_add_up_in_either_order() -> None:
    expected = Tally(3, 18, ONE.met + OTHER.met, seed=7, seconds=1.5)
    assert together([ONE, OTHER]) == together([OTHER, ONE]) == expected


def test_the_seed_and_what_was_met_are_shown() -> None:
    assert str(together([ONE, OTHER])) == (
        "parity: 3 cases, 18 exchanges, 2 s, SEED=7\n         9  query\n         4  cookies"
    )
