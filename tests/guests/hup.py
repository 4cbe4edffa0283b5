"""cfn-hup in a guest: when it asked CloudFormation, and asking it to do so now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.guests.clouds import GuestOf

LOG = "/var/log/cfn-hup.log"
# How cfn-hup ends a look at the metadata, whatever it found.
_ENDED = "No change in path|Action for release output"


def polls(guest: GuestOf) -> int:
    """How many looks its log tells of."""
    return int(guest.shell(f"grep -Ec '{_ENDED}' {LOG}", check=False))


def poll(guest: GuestOf) -> str:
    """cfn-hup looks once, at once, as it does when it starts; what it says of that."""
    return guest.shell(
        f"""
        seen() {{ grep -Ec '{_ENDED}' {LOG}; }}
        before=$(seen) line=$(wc -l <{LOG})
        systemctl restart cfn-hup
        until (($(seen) > before)); do sleep 0.2; done
        tail -n "+$((line + 1))" {LOG}
        """
    )


@contextmanager
def stopped(guest: GuestOf) -> Iterator[None]:
    """While the block runs, cfn-hup looks only when `poll` makes it look."""
    guest.shell("systemctl stop cfn-hup")
    try:
        yield
    finally:
        guest.shell("systemctl start cfn-hup")
