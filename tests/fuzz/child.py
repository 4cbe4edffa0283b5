"""`python -m tests.fuzz.child TARGET LIBFUZZER_FLAGS...`: ends when libFuzzer does."""

from __future__ import annotations

import importlib
import sys

import atheris

from tests.fuzz import TARGETS


def main(arguments: list[str]) -> None:
    """Fuzzes for as long as the flags say."""
    target = TARGETS[arguments[1]]
    with atheris.instrument_imports(include=list(target.under_test)):
        module = importlib.import_module(target.module)
    atheris.Setup([arguments[0], *arguments[2:]], module.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
