"""deploy.console: a line when a step starts, a line when it ends."""

from __future__ import annotations

import pytest

from deploy.console import Console


def test_a_step_says_when_it_starts_and_how_long_it_took() -> None:
    lines: list[str] = []
    times = iter([10.0, 11.26])
    with Console(lines.append, lambda: next(times)).step("Building the artifact"):
        lines.append("inside")
    assert lines == [
        "Building the artifact ...",
        "inside",
        "Building the artifact: done in 1.3 s",
    ]


def test_a_step_that_raises_says_so_and_lets_the_error_through() -> None:
    lines: list[str] = []
    times = iter([0.0, 2.0])
    console = Console(lines.append, lambda: next(times))
    with pytest.raises(KeyboardInterrupt), console.step("Uploading"):
        raise KeyboardInterrupt
    assert lines[-1] == "Uploading failed after 2.0 s"


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Console().note("hello")
    assert capsys.readouterr() == ("", "hello\n")
