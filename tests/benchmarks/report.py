"""What a benchmark found: rows, printed as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal


class UnavailableError(Exception):
    """This machine lacks what a benchmark needs; the message says what to install."""


@dataclass(frozen=True)
class Target:
    """The bound that a ratio has to keep."""

    bound: Literal["at most", "at least"]
    ratio: float

    def met(self, ratio: float) -> bool:
        return ratio <= self.ratio if self.bound == "at most" else ratio >= self.ratio

    def __str__(self) -> str:
        return f"{self.bound} {self.ratio:g}"


def at_most(ratio: float) -> Target:
    return Target("at most", ratio)


def at_least(ratio: float) -> Target:
    return Target("at least", ratio)


@dataclass(frozen=True)
class Row:
    """One figure; `ratio` is what the target holds, taken against the row that `note` names."""

    name: str
    figure: float
    unit: str
    ratio: float | None = None
    target: Target | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is kept; None where there is none."""
        if self.ratio is None or self.target is None:
            return None
        return self.target.met(self.ratio)

    def as_json(self) -> Mapping[str, object]:
        target = str(self.target) if self.target else None
        return {**asdict(self), "target": target, "met": self.met}


HEADER = ("", "figure", "unit", "ratio", "target", "met", "note")


def table(title: str, rows: Sequence[Row]) -> str:
    """The rows under the title, in columns as wide as need be."""
    cells = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        for line in cells
    ]
    return "\n".join([title, *(line.rstrip() for line in lines)])


def document(found: Mapping[str, Iterable[Row]]) -> str:
    """One JSON document of all rows, by the name of their benchmark."""
    return json.dumps(
        {name: [row.as_json() for row in rows] for name, rows in found.items()}, indent=2
    )


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[row.met]
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    target = str(row.target) if row.target else ""
    return (row.name, _number(row.figure), row.unit, ratio, target, met, row.note)


def _number(figure: float) -> str:
    return (
        f"{figure:,.0f}" if figure >= 1000 else f"{figure:.3g}" if figure < 1 else f"{figure:.1f}"
    )
