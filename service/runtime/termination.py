"""Lambda ends a process with SIGTERM, where the function has an extension.

"Understanding the Lambda execution environment lifecycle" in the AWS Lambda Developer
Guide, under "Shutdown phase": the runtime then has up to 500 ms, and 300 ms beside external
extensions. Without an extension a process ends without a word.
"""

import os
import signal
import threading
from collections.abc import Callable

from service.runtime.lambda_runtime import minor

_HEARING = 12  # the first python3.x runtime whose client waits for events in another thread


def on_termination(close: Callable[[], None]) -> None:
    """On SIGTERM `close` is called, and then whatever was there to take the signal.

    Nothing is changed outside the main thread, or on a runtime whose client waits for the
    next event where Python sees no signal: it would end only when it is killed.
    """
    if threading.current_thread() is not threading.main_thread() or minor() < _HEARING:
        return
    previous = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL

    def take(number: int, _frame: object) -> None:
        signal.signal(number, previous)
        try:
            close()
        finally:
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, take)
