"""Releases under load in a guest, and says how many requests were lost.

    python -m tests.guests.soak [--requests N] [--releases N] [--guests N] [--json]

In one run: how long a guest takes to its first answer; releases one after the other under load,
each installed at once, without cfn-hup's minute, until all are in and enough requests were asked;
the same load and as many restarts of a plain uvicorn in the same guest; and how long a release
takes that cfn-hup brings to one guest and to several. Exits with 1 when a release lost a request,
with 2 when something could not be measured. Needs Linux and root.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import MappingProxyType

from deploy.errors import LocalError
from deploy.local.guests.requirements import refuse_without
from deploy.local.interrupts import Interrupts
from deploy.local.workspace import Workspace
from tests.guests import soak_plain
from tests.guests.clouds import GuestOf, Playing, Project, copied, played, until
from tests.guests.soak_figures import Arrival, Figures, Stretch, document, stretch, table

CLIENTS: Mapping[str, int] = MappingProxyType(
    {"closing": 8, "keep_alive": 12, "pausing": 24, "slow": 24}
)
# What a throttled machine may take for all the requests after the last release.
_LOAD_SECONDS = 3600.0
_TELL_SECONDS = 15.0
_PAUSE_SECONDS = 3.0
# The longest pause of a client; without any the load would take the processors from the release.
_ASK_SECONDS = 0.05
_INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended
_ARRIVAL = r"""
set -e -o pipefail
until served=$(journalctl -q --no-pager -t install-release -o short-unix |
  grep -F 'release {short}… is installed'); do sleep 0.5; done
noticed=$(grep 'Running action for release' /var/log/cfn-hup.log | tail -n 1 | cut -d ' ' -f 1,2)
date -d "${{noticed/,/.}}" +%s.%3N
cut -d ' ' -f 1 <<<"$served"
"""


@dataclass(frozen=True)
class Plan:
    """How much is done; `guests` is the larger fleet."""

    requests: int
    releases: int
    guests: int


def main(arguments: Sequence[str]) -> int:
    """Prints the figures, also when it could not get all of them."""
    given = _parser().parse_args(arguments)
    plan = Plan(given.requests, given.releases, given.guests)
    interrupts, figures, problem = Interrupts(), Figures(), ""
    try:
        refuse_without()
        with interrupts.caught(), Workspace(interrupts) as workspace:
            soak(plan, workspace.folder, figures)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (LocalError, AssertionError, LookupError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    print(document(figures) if given.json else table(figures), flush=True)  # noqa: T201
    if problem:
        _note(f"soak: {problem}")
    return 2 if problem else figures.code


def soak(plan: Plan, folder: Path, figures: Figures) -> None:
    """Fills the figures in, one after the other.

    Raises:
        AssertionError: a part did not do what it should.
    """
    environment = {
        "TWOFOLD_MIN_SIZE": str(plan.guests),
        "TWOFOLD_MAX_SIZE": str(plan.guests + 1),
        "TWOFOLD_BOOT_TIMEOUT_MINUTES": "60",
    }
    project = Project(copied(folder / "project"), environment)
    project.write("release-0")
    with played(project, "guest", "boot", ready="") as playing:
        guest = _booted(playing, figures)
        figures.releases = _released(playing, guest, plan)
        figures.restarts = _restarted(guest, plan.releases)
        now = guest.shell("date +%s").strip()
        guest.shell("systemctl start cfn-hup")
        _await_look(guest, since=now)
        figures.arrivals.append(_arrived(playing, "alone"))
    if plan.guests > 1:
        _note(f"Booting {plan.guests} guests ...")
        with played(project, "up", "--guests", ready="Ctrl-C ends it.") as playing:
            for guest in playing.guests():
                _await_look(guest)
            figures.arrivals.append(_arrived(playing, "together"))


def _booted(playing: Playing, figures: Figures) -> GuestOf:
    _note("Booting a guest ...")
    guest: GuestOf = playing.until(lambda: _only(playing), "a guest")
    url = guest.url
    playing.until(lambda: _answers(url), "the first answer")
    figures.first_answer = round(time.time() - (guest.folder / "pid").stat().st_mtime, 1)
    playing.until(lambda: playing.heard(f"Guest {guest.id} "), "the signal of user data")
    assert playing.heard(" serves after "), "".join(playing.said)
    _note(f"It answered after {figures.first_answer:.1f} s.")
    return guest


def _only(playing: Playing) -> GuestOf | None:
    with suppress(OSError, ValueError):
        return playing.only()
    return None


def _answers(url: str) -> bool:
    with (
        suppress(OSError, HTTPException),
        urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer,
    ):
        return bool(answer.status == 200)
    return False


def _released(playing: Playing, guest: GuestOf, plan: Plan) -> Stretch:
    """Each is installed at once: by cfn-hup most of the time would be waiting for its next look."""
    _note(f"{plan.releases} releases under load ...")
    guest.shell("systemctl stop cfn-hup")
    steps = []
    with guest.load(
        **CLIENTS,
        pause=_ASK_SECONDS,
        least=plan.requests,
        tell=_TELL_SECONDS,
        seconds=_LOAD_SECONDS,
    ) as found:
        for number in range(1, plan.releases + 1):
            began = time.monotonic()
            digest = playing.release(f"release-{number}")
            guest.install()
            steps.append(round(time.monotonic() - began, 1))
            _note(f"Release {number} of {plan.releases}, {digest[:12]}: {steps[-1]:.1f} s")
        _note(f"All are in. The load goes on until {plan.requests:,} requests were asked ...")
    for kind in found["kinds"].values():
        for reason in kind["reasons"]:
            _note(f"lost: {reason}")
    expected = [f"release-{number}" for number in range(plan.releases + 1)]
    assert list(found["labels"]) == expected, f"the load saw {found['labels']}, not {expected}"
    return stretch(found, steps)


def _restarted(guest: GuestOf, times: int) -> Stretch:
    _note(f"{times} restarts of a plain uvicorn under the same load ...")
    steps = []
    with (
        soak_plain.plain(guest) as restart,
        guest.load(
            **CLIENTS, pause=_ASK_SECONDS, port=soak_plain.PORT, tell=_TELL_SECONDS
        ) as found,
    ):
        for _ in range(times):
            time.sleep(_PAUSE_SECONDS)  # some load that nothing disturbs, as between releases
            began = time.monotonic()
            restart()
            steps.append(round(time.monotonic() - began, 1))
    return stretch(found, steps)


def _await_look(guest: GuestOf, since: str = "0") -> None:
    """cfn-hup looks when it starts, and finds that what the stack wants is there."""
    look = f"journalctl -q -t install-release --since=@{since} | grep -q 'nothing to do'"
    until(lambda: guest.status(look) == 0, what="cfn-hup's first look")


def _arrived(playing: Playing, label: str) -> tuple[Arrival, ...]:
    guests = playing.guests()
    _note(f"A release by cfn-hup on {len(guests)} ...")
    began = round(time.time(), 3)
    digest = playing.release(label)
    provisioned = round(time.time(), 3)
    script = _ARRIVAL.format(short=digest[:12])
    arrivals = []
    for guest in guests:
        noticed, served = guest.shell(script).split()
        arrivals.append(Arrival(guest.id, began, provisioned, float(noticed), float(served)))
    return tuple(arrivals)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.guests.soak", description=__doc__)
    parser.add_argument("--requests", type=_count, default=200_000, help="at least, in all")
    parser.add_argument("--releases", type=_count, default=10)
    parser.add_argument("--guests", type=_count, default=3, help="of the larger fleet; 1: none")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
