"""The lines that Lambda itself writes into a function's log, word for word.

AWS Lambda Developer Guide, "Viewing CloudWatch logs for Lambda functions".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TAIL_BYTES = 4096
"""What X-Amz-Log-Result holds at most (Invoke, "LogType")."""


@dataclass(frozen=True)
class Report:
    """What an invocation took; durations in milliseconds, memory in MB.

    `init` is None unless this invocation was a process's first.
    """

    duration: float
    memory: int
    used: int
    init: float | None = None

    @property
    def billed(self) -> int:
        """Whole milliseconds, begun ones counted in full, initialization included."""
        return math.ceil(self.duration + (self.init or 0.0))


def init_start(version: str) -> str:
    """The line before a process's first invocation."""
    return f"INIT_START Runtime Version: python:{version}\n"


def start(request_id: str, version: str) -> str:
    """The line before an invocation's own."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end(request_id: str, report: Report) -> str:
    """The END and REPORT lines."""
    init = "" if report.init is None else f"Init Duration: {report.init:.2f} ms\t"
    return (
        f"END RequestId: {request_id}\n"
        f"REPORT RequestId: {request_id}\tDuration: {report.duration:.2f} ms\t"
        f"Billed Duration: {report.billed} ms\tMemory Size: {report.memory} MB\t"
        f"Max Memory Used: {report.used} MB\t{init}\n"
    )


def failed(time: str, request_id: str, what: str) -> str:
    """The line for an invocation that Lambda ended; `time` in ISO 8601."""
    return f"{time} {request_id} {what}\n"


def timed_out(seconds: float) -> str:
    """What is said of an invocation that took too long."""
    return f"Task timed out after {seconds:.2f} seconds"


def exited(status: int) -> str:
    """Why a process is gone; `status` is minus the signal's number when a signal ended it."""
    if status == 0:
        return "Runtime exited without providing a reason"
    if status < 0:
        return f"Runtime exited with error: signal: {_SIGNALS.get(-status, -status)}"
    return f"Runtime exited with error: exit status {status}"


_SIGNALS = {6: "aborted", 9: "killed", 11: "segmentation fault", 15: "terminated"}
