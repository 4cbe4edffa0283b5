"""tests.benchmarks: rows, targets and what is printed of them."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks.__main__ import NAMES, main
from tests.benchmarks.report import Row, at_least, at_most, document, table

ROWS = [
    Row("stock", 90.0, "us"),
    Row("ours", 36.0, "us", 0.4, at_most(0.45), "of stock"),
    Row("slow", 12345.0, "requests/s", 0.5, at_least(0.75)),
]


def test_a_target_is_kept_up_to_and_including_its_bound() -> None:
    assert [at_most(0.4).met(ratio) for ratio in (0.3, 0.4, 0.5)] == [True, True, False]
    assert [at_least(0.4).met(ratio) for ratio in (0.3, 0.4, 0.5)] == [False, True, True]


def test_a_row_without_target_is_neither_kept_nor_missed() -> None:
    assert [row.met for row in ROWS] == [None, True, False]


def test_the_table_is_aligned_and_shows_what_is_missed() -> None:
    assert table("Adapter", ROWS).splitlines() == [
        "Adapter",
        "       figure  unit        ratio  target         met  note",
        "stock  90.0    us",
        "ours   36.0    us          0.40   at most 0.45   yes  of stock",
        "slow   12,345  requests/s  0.50   at least 0.75  NO",
    ]


def test_the_document_holds_the_same() -> None:
    assert json.loads(document({"adapter": ROWS}))["adapter"][1] == {
        "name": "ours",
        "figure": 36.0,
        "unit": "us",
        "ratio": 0.4,
        "target": "at most 0.45",
        "note": "of stock",
        "met": True,
    }


def test_an_unknown_benchmark_is_told_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "warp"])
    assert "adapter" in capsys.readouterr().err
    assert {"adapter", "http", "cold_start"} <= set(NAMES)
