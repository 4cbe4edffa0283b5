"""`python -m tests.robustness.replay FOLDER...`: sample events that others published.

Every JSON object in the folders goes through the adapter; what is no request is told by
the kind of event that it would need a handler for.
Install a library that ships such files in an environment that is thrown away, and give
the folder in which they are; their files are never committed.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import UnhandledEventError
from service.runtime.adapter import LambdaAdapter
from service.runtime.events import EventRouter
from service.settings import Settings
from tests.robustness import verdict
from tests.robustness.echo import Echo
from tests.robustness.trial import is_balancers
from tests.service.events import Context

_WANTED = "Nobody handles the event "


@dataclass(frozen=True)
class Outcome:
    """What became of one sample: whose it was, and why it was refused, if it was."""

    path: Path
    kind: str
    refusal: str = ""


def samples(folders: Iterable[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The JSON objects in the folders' files, in the order of their paths."""
    for folder in folders:
        for path in sorted(folder.rglob("*.json")):
            try:
                value = json.loads(path.read_text(encoding="utf-8-sig"))
            except (ValueError, OSError, RecursionError):
                continue  # a template, or no JSON at all
            if isinstance(value, dict):
                yield path, value


def replayed(path: Path, event: dict[str, Any]) -> Outcome:
    """What the event is taken for, or why it is refused."""
    echo, log = Echo(), io.StringIO()
    adapter = LambdaAdapter(echo.app, EventRouter(), settings=Settings(mode="lambda"), log=log)
    try:
        reply = adapter(event, Context("replay"))
    except UnhandledEventError as error:  # as there are no handlers: it says which it wants
        return Outcome(path, str(error).partition(" (")[0].removeprefix(_WANTED))
    except Exception as error:  # whichever it is, it is what is asked for
        return Outcome(path, "HTTP", f"{type(error).__name__}: {error}")
    finally:
        adapter.close()
    wrong = [*verdict.of_result(reply, echo.sent, balancer=is_balancers(event))]
    return Outcome(path, "HTTP", "; ".join([*wrong, *echo.complaints]) or _failure(reply))


def _failure(reply: dict[str, Any]) -> str:
    status = reply["statusCode"]
    return f"{status} {reply['body'][:200]}" if status >= 400 else ""


def report(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """A line for each kind, with how many were taken; then one for each that was not."""
    kinds: dict[str, Counter[bool]] = defaultdict(Counter)
    refused = []
    for outcome in outcomes:
        kinds[outcome.kind][not outcome.refusal] += 1
        refused += [outcome] if outcome.refusal else []
    for kind, counts in sorted(kinds.items()):
        yield f"{counts[True]:5} taken  {counts[False]:5} refused  {kind}"
    for outcome in refused:
        yield f"refused: {outcome.path} ({outcome.kind}): {outcome.refusal[:400]}"


def main(arguments: list[str]) -> int:
    """Prints the report; 1 if a sample was refused, 2 when there is none."""
    parser = argparse.ArgumentParser(prog="python -m tests.robustness.replay")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--list", action="store_true", help="name each sample with its kind")
    options = parser.parse_args(arguments)
    if wrong := [folder for folder in options.folders if not folder.is_dir()]:
        parser.error(f"{wrong[0]} is no folder")
    logging.disable()  # what is refused is told by the report
    outcomes = [replayed(path, event) for path, event in samples(options.folders)]
    logging.disable(logging.NOTSET)
    if not outcomes:
        parser.error("no JSON object is in any *.json of the folders")
    if options.list:
        for outcome in outcomes:
            sys.stdout.write(f"{outcome.kind}: {outcome.path}\n")
    sys.stdout.writelines(f"{line}\n" for line in report(outcomes))
    return int(any(outcome.refusal for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
