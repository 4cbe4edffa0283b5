"""python -m tests.benchmarks [--only NAME] [--json]

Every module `bench_NAME` here has a `TITLE` and `measure() -> list[Row]`. The figures
are of this machine and this run: the ratios are what counts. A target that is missed
makes the exit code 1; a benchmark that cannot run here says why and makes it 2.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.report import Row, UnavailableError, document, table

NAMES = sorted(
    path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")
)


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    found: dict[str, list[Row]] = {}
    code = 0
    for name in options.only or NAMES:
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        print(f"{module.TITLE} ...", file=sys.stderr, flush=True)
        try:
            found[name] = module.measure()
        except UnavailableError as reason:
            print(f"{name}: {reason}", file=sys.stderr)
            code = 2
            continue
        if not options.json:
            print(table(module.TITLE, found[name]), end="\n\n", flush=True)
    if options.json:
        print(document(found))
    missed = any(row.met is False for rows in found.values() for row in rows)
    return code or int(missed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Benchmarks")
    parser.add_argument("--only", action="append", choices=NAMES, help="may be repeated")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
