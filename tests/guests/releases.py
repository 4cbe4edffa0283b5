"""What a release did to a guest: in its journal, in the log group, and to those who asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from tests.guests.clouds import GuestOf

CLIENTS = {"closing": 6, "keep_alive": 6, "pausing": 4, "slow": 4}


def light(guest: GuestOf) -> AbstractContextManager[dict[str, Any]]:
    """Clients of every kind ask while the block runs, and leave a processor for the release."""
    return guest.load(**CLIENTS, pause=0.1)


def said(guest: GuestOf) -> str:
    """What the journal has of install-release, as cfn-hup ran it."""
    return guest.shell("journalctl --quiet --no-pager --output=cat -t install-release")


def reports(guest: GuestOf) -> list[dict[str, Any]]:
    """What install-release has put into the log group, the oldest first."""
    group = guest.playing.status()["outputs"]["InstanceLogGroup"]
    logs = guest.playing.aws("logs")
    found = logs.get_log_events(
        logGroupName=group, logStreamName=f"{guest.id}/release", startFromHead=True
    )
    return [json.loads(event["message"]) for event in found["events"]]


def asked_and_lost(found: Mapping[str, Any]) -> str:
    """Such as 'lost 0 of 1,203 (closing), 0 of 12 (slow)'."""
    kinds = found["kinds"].items()
    return "lost " + ", ".join(
        f"{kind['lost']} of {kind['asked']:,} ({name})" for name, kind in kinds
    )
