"""service.runtime.failure: exceptions that Lambda's runtime client can tell of."""

from __future__ import annotations

import pytest

from service.errors import EventHandlerError
from service.runtime.failure import tellable


@pytest.mark.parametrize("text", ["", "no stock", "für 3 €\nor more", "x" * 4_000])
def test_an_exception_with_a_harmless_text_stays_itself(text: str) -> None:
    error = ValueError(text)
    assert tellable(error) is error


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\ud800b", "a\\ud800b (3 characters, 0 frames)"),
        ("x" * 4_001, "x" * 4_000 + "... (4,001 characters, 0 frames)"),
    ],
)
def test_another_text_is_shown_in_part(text: str, shown: str) -> None:
    told = tellable(ValueError(text))
    assert isinstance(told, EventHandlerError)
    assert str(told) == f"The event handler raised ValueError: {shown}. The log has all of it."


def test_an_exception_that_has_no_text_is_named() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise KeyError("no text")

    assert str(tellable(OddError())).startswith(
        "The event handler raised OddError: <its str() raises> "
    )


def test_an_exception_from_deep_down_is_told_without_its_frames() -> None:
    def deep() -> None:
        deep()

    with pytest.raises(RecursionError) as caught:
        deep()
    told = tellable(caught.value)
    assert str(told).startswith("The event handler raised RecursionError: maximum recursion depth")
    assert told.__traceback__ is None
