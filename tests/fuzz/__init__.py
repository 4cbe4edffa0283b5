"""Coverage-guided fuzzing: a target is what must hold of every input.

TARGETS names the modules lazily, as the code under test must be imported only once
atheris can instrument it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Target:
    """A module with `check(given)`, which raises, and `shown(given)`, a Python literal."""

    module: str
    under_test: tuple[str, ...]
    """The packages whose new branches make an input worth keeping."""

    def check(self, given: bytes) -> None:
        """Returns if what must hold does.

        Raises:
            Exception: it does not.
        """
        importlib.import_module(self.module).check(given)

    def shown(self, given: bytes) -> str:
        """What the bytes stand for, as a Python literal."""
        return str(importlib.import_module(self.module).shown(given))


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "adapter": Target("tests.fuzz.adapter", ("service", "mangum")),
        "expression": Target("tests.fuzz.expression", ("deploy.expression",)),
    }
)
