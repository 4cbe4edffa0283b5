"""The policies of an Auto Scaling group, as its template has them. Pure.

CloudFormation Template Reference, "CreationPolicy attribute" and "UpdatePolicy attribute",
is where the defaults come from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.errors import LocalError

_UNITS = (("H", 3600), ("M", 60), ("S", 1))
_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
_FIVE_MINUTES = "PT5M"


@dataclass(frozen=True)
class CreationPolicy:
    """A new group is there when `count` instances have signalled success within `timeout` s."""

    count: int = 1
    timeout: float = 300.0
    percent: int = 100


@dataclass(frozen=True)
class UpdatePolicy:
    """How the instances of a group are replaced.

    Attributes:
        batch: how many at once, at most.
        in_service: how many stay in service at least.
        percent: how many of the new ones must have signalled success.
        pause: how long, in seconds, to wait for a signal; without signals, how long to wait.
        signals: whether the new ones are waited for.
    """

    batch: int = 1
    in_service: int = 0
    percent: int = 100
    pause: float = 0.0
    signals: bool = False


def creation_policy(resource: Mapping[str, Any]) -> CreationPolicy | None:
    """The resource's CreationPolicy; None when nobody waits for its instances.

    Raises:
        LocalError: a value is not a plain one.
    """
    policy = resource.get("CreationPolicy", {})
    signal = policy.get("ResourceSignal")
    if signal is None:
        return None
    group = policy.get("AutoScalingCreationPolicy", {})
    return CreationPolicy(
        count=_number(signal, "Count", 1),
        timeout=seconds(signal.get("Timeout", _FIVE_MINUTES)),
        percent=_number(group, "MinSuccessfulInstancesPercent", 100),
    )


def update_policy(resource: Mapping[str, Any]) -> UpdatePolicy | None:
    """The resource's AutoScalingRollingUpdate; None when its instances are never replaced.

    Raises:
        LocalError: a value is not a plain one.
    """
    policy = resource.get("UpdatePolicy", {}).get("AutoScalingRollingUpdate")
    if policy is None:
        return None
    signals = str(policy.get("WaitOnResourceSignals", False)).lower() == "true"
    return UpdatePolicy(
        batch=_number(policy, "MaxBatchSize", 1, least=1),
        in_service=_number(policy, "MinInstancesInService", 0),
        percent=_number(policy, "MinSuccessfulInstancesPercent", 100),
        pause=seconds(policy.get("PauseTime", _FIVE_MINUTES if signals else "PT0S")),
        signals=signals,
    )


def _number(policy: Mapping[str, Any], key: str, default: int, least: int = 0) -> int:
    value = policy.get(key, default)
    if not re.fullmatch(r"\d+", str(value)) or int(value) < least:
        raise LocalError(
            f"{key} is {value!r}; a policy is played here with a plain number of at least "
            f"{least} only. Change it in the template."
        )
    return int(value)


def seconds(duration: object) -> float:
    """The seconds of a duration such as PT10M or PT1H30S.

    Raises:
        LocalError: it has another form.
    """
    found = _DURATION.fullmatch(str(duration))
    if found is None:
        raise LocalError(
            f"{duration!r} is no duration of a form like PT10M. Change it in the template."
        )
    amounts = zip(found.groups(), _UNITS, strict=True)
    return float(sum(int(amount or 0) * factor for amount, (_, factor) in amounts))


def duration(amount: float) -> str:
    """The seconds as CloudFormation writes them, such as PT10M."""
    text, rest = "", round(amount)
    for unit, factor in _UNITS:
        count, rest = divmod(rest, factor)
        text += f"{count}{unit}" if count else ""
    return f"PT{text or '0S'}"
