"""Same question, same answer: what counts as a difference."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from deploy.commands.demo import table
from deploy.local.comparison import Row, compare, differences, document

DIGEST = "d" * 64
HELLO = Row("lambda", "http://l/", 200, "Hello", DIGEST, 1.0)
ROWS = (
    HELLO,
    Row("instance", "http://i/", 200, "Hello", DIGEST, 1.0),
    Row("lambda", "http://l/healthz", 200, '{"mode": "lambda"}', DIGEST, 1.0),
    Row("instance", "http://i/healthz", 200, '{"mode": "instance"}', DIGEST, 1.0),
)


def test_equal_answers_of_one_release_are_no_difference() -> None:
    assert differences(ROWS, DIGEST) == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (replace(HELLO, body="Bye"), "The sides differ on /: lambda: 200 'Bye'; instance: 200"),
        (replace(HELLO, status=502), "lambda answered http://l/ with 502 'Hello'."),
        (replace(HELLO, problem="refused"), "lambda answered http://l/ with refused."),
        (
            replace(HELLO, digest="e" * 64),
            "lambda runs eeeeeeeeeeee, but the release is dddddddddddd.",
        ),
        (replace(HELLO, digest=""), "lambda runs an unknown digest, but the release is"),
    ],
)
def test_a_difference_is_told(row: Row, said: str) -> None:
    assert any(line.startswith(said) for line in differences((row, *ROWS[1:]), DIGEST))


def test_both_sides_failing_alike_is_a_difference() -> None:
    assert len(differences([replace(row, status=500) for row in ROWS[:2]], DIGEST)) == 2


def test_a_side_that_cannot_be_reached_is_a_row_with_its_problem() -> None:
    rows = compare({"instance": "http://127.0.0.1:1"})
    assert [(row.side, row.status, row.digest) for row in rows] == [("instance", 0, "")] * 2
    assert all("refused" in row.problem for row in rows)


def test_the_document_holds_answers_and_differences() -> None:
    made = document((replace(HELLO, status=500), *ROWS[1:]), DIGEST, same_as_deployed=True)
    assert made["digest"] == DIGEST
    assert made["deployed"] is True
    assert made["answers"][0]["status"] == 500
    assert made["differences"]


def printed(rows: Sequence[Row], width: int = 80) -> list[str]:
    terminal = Console(width=width, file=io.StringIO(), highlight=False)
    terminal.print(table(rows))
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue().splitlines()


def test_the_table_fits_a_terminal_of_80_columns_and_cuts_no_url_or_greeting() -> None:
    sides = (("lambda", 43210), ("instance", 54321))
    rows = [
        Row(side, f"http://127.0.0.1:{port}{path}", 200, body, DIGEST, 1234.5)
        for path, body in (("/", "Hello world from Twofold!"), ("/healthz", "x" * 200))
        for side, port in sides
    ]
    lines = printed(rows)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert all(row.url in text for row in rows)
    assert text.count("Hello world from Twofold!") == 2
    assert text.count(DIGEST[:12]) == 4


def test_the_table_shows_an_answer_as_it_is() -> None:
    """Square brackets are no markup, and a line break does not break the table."""
    text = "\n".join(printed([replace(HELLO, body="[/a]\n[bold]b")]))
    assert "[/a] [bold]b" in text


def test_the_table_shows_why_there_is_no_answer() -> None:
    text = "\n".join(printed([replace(HELLO, status=0, body="", problem="refused", digest="")]))
    assert "refused" in text
