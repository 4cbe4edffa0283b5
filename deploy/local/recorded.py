"""Both sides behind proxies that record what they are asked, on the ports that users know."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.cloud import FUNCTION_PORT_FLAG, Cloud
from deploy.local.embedded_aws import LOOPBACK
from deploy.local.instance import PORT_FLAG
from deploy.local.overheard import Overheard
from deploy.local.recording import Recording
from deploy.local.server import Background, listen
from deploy.local.tap import tapped


@dataclass(frozen=True)
class Recorder:
    """The open file, and the two sockets that wait for a cloud behind them."""

    recording: Recording
    fronts: dict[str, socket.socket]

    @contextmanager
    def before(self, cloud: Cloud) -> Iterator[Mapping[str, str]]:
        """While the block runs, what the sides are asked at these URLs is recorded.

        The cloud's own URLs stay in its record for twofold's commands, so that what `status`
        and `parity` ask is not recorded again.
        """
        with Background() as background, ExitStack() as stack:
            for side, url in cloud.sides.items():
                self._tap(stack, background, side, int(urlsplit(url).port or 80))
            yield {side: self._url(side) for side in cloud.sides}

    def _tap(self, stack: ExitStack, background: Background, side: str, port: int) -> None:
        tap = tapped(self.fronts[side], port, lambda: Overheard(side, self.recording))
        background.run(tap.__aenter__())
        stack.callback(lambda: background.run(tap.__aexit__(None, None, None)))

    def _url(self, side: str) -> str:
        return f"http://{LOOPBACK}:{self.fronts[side].getsockname()[1]}"


@contextmanager
def recorder(
    file: str, port: int, function_port: int, note: Callable[[str], None]
) -> Iterator[Recorder]:
    """The file is new, and both ports are this program's, before anything is started.

    Raises:
        SettingsError: the file exists, or cannot be made.
        LocalError: a port is in use.
    """
    with (
        listen(port, PORT_FLAG) as instance,
        listen(function_port, FUNCTION_PORT_FLAG) as function,
        Recording(Path(file), note) as recording,
    ):
        note(
            f"Requests to both sides are recorded in {file}, with all headers and bodies: "
            "it may hold secrets, and only you may read it."
        )
        yield Recorder(recording, {"lambda": function, "instance": instance})
