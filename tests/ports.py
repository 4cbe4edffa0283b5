"""Ports for programs that are told which one to take."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A free port below those that the system gives to whoever asks for any.

    So nothing takes it until the program does (ip_local_port_range begins at 32768).
    """
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
