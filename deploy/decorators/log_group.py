"""The log groups of both sides: named after the stack, deleted with it, kept so many days."""

from __future__ import annotations

from troposphere import logs

from deploy.setting import Setting
from deploy.settings import Settings

# Amazon CloudWatch Logs API Reference, "PutRetentionPolicy".
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)


def _retention(raw: object) -> int:
    """TOML gives a number, a variable or a flag its digits."""
    found = [days for days in RETENTION_DAYS if str(days) == str(raw)]
    if not found:
        raise ValueError(f"one of {', '.join(map(str, RETENTION_DAYS))}")
    return found[0]


LOG_RETENTION = Setting(
    "log_retention_days",
    _retention,
    "For how many days CloudWatch keeps the log lines of both sides.",
    30,
)


def log_group(title: str, side: str, settings: Settings) -> logs.LogGroup:
    """The log group of one side, such as /twofold/hello-dev/function."""
    return logs.LogGroup(
        title,
        LogGroupName=f"/twofold/{settings.stack}/{side}",
        RetentionInDays=settings[LOG_RETENTION],
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )
