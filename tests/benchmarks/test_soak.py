"""tests.guests.soak: its figures, the exit code and what is printed of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.guests.load import WAYS
from tests.guests.soak import main
from tests.guests.soak_figures import KINDS, Arrival, Figures, document, stretch, table

FOUND = {
    "kinds": {
        "closing": {"asked": 120_000, "lost": 0, "reasons": []},
        "slow": {"asked": 1_200, "lost": 2, "reasons": ["after 3.1 s: refused"]},
    },
    "labels": {"release-0": 0.0, "release-1": 9.5},
    "seconds": 61.2,
    "silence": 0.25,
}
WHOLE = {"kinds": {"closing": {"asked": 9, "lost": 0, "reasons": []}}, "seconds": 1, "silence": 0}
QUICK = Arrival("i-1", began=100.0, provisioned=106.0, noticed=116.5, served=130.0)
LATE = Arrival("i-2", began=100.0, provisioned=106.0, noticed=166.0, served=178.5)


def test_all_kinds_are_added_up() -> None:
    seen = stretch(FOUND, [4.0, 5.0, 30.0])
    assert (seen.asked, seen.lost) == (121_200, 2)


@pytest.mark.parametrize(("found", "code"), [(WHOLE, 0), (FOUND, 1)])
def test_a_request_lost_in_a_release_makes_the_exit_code_1(
    found: dict[str, object], code: int
) -> None:
    assert Figures(releases=stretch(found, [1.0])).code == code


def test_what_the_comparison_loses_does_not() -> None:
    figures = Figures(releases=stretch(WHOLE, [1.0]), restarts=stretch(FOUND, [1.0]))
    assert figures.code == 0


def test_the_wait_for_cfn_hup_is_told_apart() -> None:
    assert (QUICK.waited, QUICK.worked) == (10.5, 19.5)
    assert (LATE.waited, LATE.worked) == (60.0, 18.5)


def test_cfn_hup_may_look_before_the_provision_has_said_its_last() -> None:
    early = replace(QUICK, noticed=105.0)
    assert (early.waited, early.worked) == (0.0, 30.0)


def test_the_table_has_a_line_for_each_figure() -> None:
    figures = Figures(
        first_answer=31.25,
        releases=stretch(FOUND, [4.0, 5.0, 30.0]),
        restarts=stretch(WHOLE, [2.0]),
        arrivals=[(QUICK,), (QUICK, LATE)],
    )
    assert table(figures).splitlines() == [
        "start of a guest to its first answer                31.2 s",
        "3 releases, one guest                               lost 2 of 121,200",
        "  a new connection for each request                 lost 0 of 120,000",
        "  requests of 3 s                                   lost 2 of 1,200",
        "  each took                                         5.0 s (median), 30.0 s at most",
        "  longest time without any answer                   0.25 s in 61 s",
        "1 restarts of a plain [program] uvicorn, same load  lost 0 of 9",
        "  a new connection for each request                 lost 0 of 9",
        "  each took                                         2.0 s (median), 2.0 s at most",
        "  longest time without any answer                   0.00 s in 1 s",
        "provision to new release serving, 1 guest"
        "           19.5 s, and 10.5 s until cfn-hup looked",
        "provision to new release serving, 2 guests"
        "          19.5 s, and 10.5 to 60.0 s until cfn-hup looked",
    ]


def test_what_could_not_be_measured_is_left_out() -> None:
    assert table(Figures()) == ""
    assert table(Figures(first_answer=2.0)) == "start of a guest to its first answer  2.0 s"
    assert json.loads(document(Figures()))["releases"] is None


def test_the_document_holds_the_same_and_why_requests_were_lost() -> None:
    found = json.loads(
        document(Figures(31.25, stretch(FOUND, [4.0]), stretch(WHOLE, [2.0]), [(QUICK,)]))
    )
    assert found["first_answer_seconds"] == 31.25
    assert found["releases"]["kinds"][1] == {
        "name": "slow",
        "asked": 1_200,
        "lost": 2,
        "reasons": ["after 3.1 s: refused"],
    }
    assert (found["releases"]["asked"], found["releases"]["lost"]) == (121_200, 2)
    assert found["plain_restarts"]["steps"] == [2.0]
    assert found["arrivals"][0][0]["instance"] == "i-1"
    assert found["arrivals"][0][0]["waited_seconds"] == 10.5
    assert found["arrivals"][0][0]["worked_seconds"] == 19.5


def test_every_kind_of_client_has_a_line() -> None:
    assert set(KINDS) == set(WAYS)


@pytest.mark.parametrize("flag", ["--requests", "--releases", "--guests"])
def test_a_number_that_is_none_is_refused(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([flag, "0"])
    assert f"argument {flag}: '0' is not a whole number above 0" in capsys.readouterr().err
