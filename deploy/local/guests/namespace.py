"""EDGE: the network of a guest: sockets inside it, and the way out of it.

Nothing of the host's own network is touched: no route, no firewall rule, no interface. A
namespace has no name, so it is gone with the last process in it.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import LocalError
from deploy.local.workspace import Child, Command, Workspace

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.02


def listening(pid: int, address: str, port: int) -> socket.socket:
    """A listening TCP socket inside the network namespace of a process.

    setns(2) moves one thread, so a thread of its own goes there and ends.

    Raises:
        LocalError: the process has ended, or the address cannot be had.
    """
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(_listen_there, pid, address, port).result()
        except OSError as error:
            raise LocalError(
                f"Cannot listen on {address}:{port} in the guest's network: {error.strerror}."
            ) from None


def _listen_there(pid: int, address: str, port: int) -> socket.socket:
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(namespace)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.bind((address, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


@dataclass(frozen=True)
class Uplink:
    """A running slirp4netns: the guest reaches the package archive, the host a port of it."""

    child: Child
    control: Path

    def forward(self, address: str, port: int, guest: str) -> None:
        """`address`:`port` on the host leads to the same port of the guest from now on.

        Raises:
            LocalError: the port is in use, or slirp4netns does not answer.
        """
        arguments = {
            "proto": "tcp",
            "host_addr": address,
            "host_port": port,
            "guest_addr": guest,
            "guest_port": port,
        }
        answer = self._asked({"execute": "add_hostfwd", "arguments": arguments})
        if "error" in answer:
            raise LocalError(
                f"{address}:{port} cannot lead to the guest: {answer['error'].get('desc')}. "
                "Stop what uses that port."
            )

    def _asked(self, question: object) -> dict[str, dict[str, str]]:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(_READY_SECONDS)
            try:
                self._connect(control)
                control.sendall(json.dumps(question).encode())
                control.shutdown(socket.SHUT_WR)
                return dict(json.loads(control.makefile("rb").read()))
            except (OSError, ValueError) as error:
                raise LocalError(
                    f"slirp4netns does not answer. Its log:\n{self.child.end_of_log()}"
                ) from error

    def _connect(self, control: socket.socket) -> None:
        """slirp4netns makes the socket first and listens then."""
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                control.connect(str(self.control))
            except ConnectionRefusedError:
                if self.child.exit_status is not None or time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)
            else:
                return


def uplink(workspace: Workspace, pid: int, network: str, folder: Path) -> Uplink:
    """eth0 is there in the namespace of a process, with .100 of `network` and a default route.

    Args:
        network: such as 10.0.7.0/24; .2 is the gateway, .3 answers DNS.

    Raises:
        LocalError: slirp4netns ended, or is not ready in time.
    """
    control = folder / "slirp.sock"
    command = Command(
        (
            "slirp4netns",
            "--configure",
            "--mtu=65520",
            "--disable-host-loopback",
            f"--cidr={network}",
            f"--api-socket={control}",
            str(pid),
            "eth0",
        ),
        {"PATH": os.environ["PATH"]},
        folder,
    )
    child = workspace.start(command, folder / "slirp4netns.log")
    deadline = time.monotonic() + _READY_SECONDS
    while not control.exists():
        if child.exit_status is not None or time.monotonic() > deadline:
            raise LocalError(f"slirp4netns does not start. Its log:\n{child.end_of_log()}")
        time.sleep(_POLL_SECONDS)
    return Uplink(child, control)
