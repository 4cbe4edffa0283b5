"""Which of the requests that were read are meant for the service. Pure.

A browser's recording of one page goes to many hosts, and what was sent to another one,
its credentials too, is nothing for this service.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from deploy.errors import SettingsError
from deploy.parity.request import Request, shown

_SHOWN = 5


def meant(requests: Sequence[Request], wanted: Sequence[str]) -> tuple[Request, ...]:
    """Those that name a wanted host, or none; all of them when they name the same.

    Args:
        wanted: 'NAME' stands for all ports of it, 'NAME:PORT' for one.

    Raises:
        SettingsError: they name several hosts and none is wanted, or one that none names.
    """
    named = Counter(request.host for request in requests if request.host)
    if not wanted:
        _refuse_several(named)
        return tuple(requests)
    _refuse_unnamed(named, wanted)
    return tuple(
        one for one in requests if not one.host or any(is_named(one.host, name) for name in wanted)
    )


def is_named(host: str, wanted: str) -> bool:
    """`wanted` names this host; 'NAME' all ports of it, 'NAME:PORT' one."""
    return wanted.lower() in (host, host.rpartition(":")[0])


def _refuse_several(named: Counter[str]) -> None:
    if len(named) > 1:
        often = shown(named.most_common(1)[0][0])
        raise SettingsError(
            f"The requests name {len(named)} hosts: {_listed(named)}. "
            f"Say which are the service's, as in: --host {often}"
        )


def _refuse_unnamed(named: Counter[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if not any(is_named(host, name) for host in named)]
    if missing:
        raise SettingsError(
            f"--host is {missing[0]!r}, which no request names; "
            f"named are: {_listed(named) or 'none'}."
        )


def _listed(named: Counter[str]) -> str:
    """The most frequent ones, and how often."""
    first = ", ".join(f"{shown(host)} ({count})" for host, count in named.most_common(_SHOWN))
    more = len(named) - _SHOWN
    return f"{first} and {more} more" if more > 0 else first
