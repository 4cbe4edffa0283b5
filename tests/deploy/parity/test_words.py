"""Text -> words, as bash splits it."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.parity.words import commands


def words(text: str) -> list[list[str]]:
    found = list(commands(text))
    assert [command.problem for command in found] == [""] * len(found)
    return [command.words for command in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("curl /", ["curl", "/"]),
        ("  curl\t/  \r\n", ["curl", "/"]),
        ("curl /\xc3\xa0/\xc3\x85\x0b\x1c", ["curl", "/\xc3\xa0/\xc3\x85\x0b\x1c"]),
        ("curl 'a b' \"c d\"", ["curl", "a b", "c d"]),
        ("""curl a'b'"c"d""", ["curl", "abcd"]),
        ("curl ''", ["curl", ""]),
        (r"curl a\ b \'", ["curl", "a b", "'"]),
        (r'curl "a\"b\\c\d\$"', ["curl", 'a"b\\c\\d$']),
        ("curl 'two\nlines'", ["curl", "two\nlines"]),
        ("curl \\\n  -I \\\r\n  /", ["curl", "-I", "/"]),
        ("curl /x?a=1&b=2;c", ["curl", "/x?a=1&b=2;c"]),
        ("curl /#no-comment # a comment", ["curl", "/#no-comment"]),
        ("curl '/?$filter=x' \"5$\" $", ["curl", "/?$filter=x", "5$", "$"]),
    ],
)
def test_words_are_split_as_a_shell_splits_them(text: str, expected: list[str]) -> None:
    assert words(text) == [expected]


@pytest.mark.parametrize(
    ("escaped", "meant"),
    [
        (r"\n\r\t\a\e", "\n\r\t\a\x1b"),
        (r"\\\'\"\?", "\\'\"?"),
        (r"\x00\xff\x4g", "\x00\xff\x04g"),
        (r"\101\0", "A\0"),
        (r"\u0021", "!"),
        (r"\u00e9\U0001F600", "é😀".encode().decode("latin-1")),
        (r"\cA\q", "\x01\\q"),
    ],
)
def test_ansi_quoting_gives_the_bytes_that_bash_gives(escaped: str, meant: str) -> None:
    assert words(f"curl $'{escaped}'") == [["curl", meant]]


def test_commands_end_with_a_line_a_semicolon_or_an_ampersand() -> None:
    assert words("curl /1\ncurl /2 ; curl /3 &\n\n# no command\ncurl '/4';\n") == [
        ["curl", "/1"],
        ["curl", "/2"],
        ["curl", "/3"],
        ["curl", "/4"],
    ]


def test_a_command_has_the_line_that_it_begins_in() -> None:
    text = "# heading\n\ncurl \\\n /1\n  curl '\n\n'\ncurl /3"
    assert [command.line for command in commands(text)] == [3, 5, 8]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("curl '/\n", "a quote is opened and never closed"),
        ('curl "/', "a quote is opened and never closed"),
        ("curl $'/", "a quote is opened and never closed"),
        ('curl ^"/^"', "this was copied for Windows' cmd; copy it as cURL for bash instead"),
        (
            "curl $HOME",
            "nothing is expanded here; put what holds $ or ` between single quotes",
        ),
        (
            'curl "a $(date)"',
            "nothing is expanded here; put what holds $ or ` between single quotes",
        ),
        (
            "curl / | jq",
            "|, < and > mean nothing here; leave them out, or quote them if they are meant",
        ),
        ("curl /\\", "a backslash ends the file"),
    ],
)
def test_what_a_shell_would_run_is_a_problem(text: str, problem: str) -> None:
    (command,) = commands(text)
    assert command.problem == problem


def test_the_lines_after_a_problem_are_read() -> None:
    found = list(commands("curl $HOME 'x\ncurl /2"))
    assert [(one.line, bool(one.problem)) for one in found] == [(1, True), (2, False)]
    assert found[1].words == ["curl", "/2"]


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=8)))
def test_words_that_python_quotes_for_a_shell_are_read_back(wanted: list[str]) -> None:
    assert words(shlex.join(["curl", *wanted])) == [["curl", *wanted]]
