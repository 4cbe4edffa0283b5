"""Where a mutation's decisions come from: a seed, or the bytes that a fuzzer tries."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

T = TypeVar("T")


class Draw(Protocol):
    """A source of decisions that are the same each time."""

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1; `limit` is at most 65,536."""
        ...

    def text(self) -> str:
        """A short text, as a JSON string can hold it: also with lone surrogates."""
        ...


def pick(draw: Draw, choices: Sequence[T]) -> T:
    """One of the choices."""
    return choices[draw.below(len(choices))]


class SeededDraw:
    """Decisions that follow from a seed alone."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def text(self) -> str:
        size = self.below(24)
        return "".join(chr(self.below(self._range())) for _ in range(size))

    def _range(self) -> int:
        return (128, 256, 0xFFFF)[self.below(3)]


class BytesDraw:
    """Decisions that follow from bytes; when they are used up, each is the first choice."""

    def __init__(self, given: bytes) -> None:
        self._given = given
        self._at = 0

    @property
    def spent(self) -> bool:
        """Nothing is left to decide with."""
        return self._at >= len(self._given)

    def below(self, limit: int) -> int:
        return int.from_bytes(self._take(1 if limit <= 256 else 2), "little") % limit

    def text(self) -> str:
        return self._take(self.below(64)).decode("utf-8", "surrogateescape")

    def _take(self, size: int) -> bytes:
        taken = self._given[self._at : self._at + size]
        self._at += size
        return taken
