"""The same .pyc, whatever this process compiled, imported or kept before."""

from __future__ import annotations

import importlib.util
import marshal

import pytest

from deploy.artifact.bytecode import compiled_or_reason, pyc

SOURCE = b"""
WORD = 'zebra_only_here'
def outer(argument):
    def inner(other): return argument, other, {'q', 'zebra', 5}, 'a sentence', 1.5
    return inner in ('zebra_only_here', frozenset({1, 'two'}))
"""


def test_bytes_do_not_depend_on_the_words_that_the_process_knows() -> None:
    before = pyc("/var/task/a.py", SOURCE)
    kept = [compile(SOURCE, "elsewhere", "exec"), "zebra_only_here", "argument"]
    assert pyc("/var/task/a.py", SOURCE) == before
    del kept


def test_the_import_system_takes_it_without_looking_at_the_source() -> None:
    compiled = pyc("/var/task/a.py", SOURCE)
    assert compiled[:4] == importlib.util.MAGIC_NUMBER
    assert compiled[4:8] == b"\1\0\0\0"  # PEP 552: hash-based, check_source unset
    assert compiled[8:16] == importlib.util.source_hash(SOURCE)


def test_the_code_is_that_of_the_source() -> None:
    code = marshal.loads(pyc("/var/task/a.py", SOURCE)[16:])
    assert code.co_filename == "/var/task/a.py"
    scope: dict[str, object] = {}
    exec(code, scope)
    assert scope["WORD"] == "zebra_only_here"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"a = 1\nb = (\n", (2, "'(' was never closed")),
        (b"print 'python 2'", (1, "Missing parentheses in call to 'print'. Did you mean print(")),
        (b"a = 1\0", (1, "source code string cannot contain null bytes")),
        (b"# coding: klingon\n", (1, "unknown encoding: klingon")),
        (b"(" * 250 + b")" * 250, (1, "too many nested parentheses")),
    ],
)
def test_what_does_not_compile_says_where_and_why(source: bytes, reason: tuple[int, str]) -> None:
    result = compiled_or_reason("/var/task/a.py", source)
    assert isinstance(result, tuple)
    line, message = result
    assert line == reason[0]
    assert reason[1] in message
