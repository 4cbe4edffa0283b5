"""The AWS of the laptop: ministack, a process of its own on a free port of 127.0.0.1.

ministack and not moto, since the stack's whole life is played here and only ministack's
CloudFormation plays it: change sets, events per resource, rollback, refusal of unknown
resource types, metadata in DescribeStackResource. moto reports CREATE_COMPLETE for
types that it skips (alias, Function URL). What ministack leaves out (it starts no
instance and no load balancer) this package plays itself, from what the stack says.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import LocalError
from deploy.local.public_parameters import FILE, images, state
from deploy.local.workspace import Child, Command, Workspace

LOOPBACK = "127.0.0.1"
ACCOUNT = "000000000000"
_STATE = "state"
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class EmbeddedAws:
    """Where the embedded AWS listens, and the process that plays it."""

    port: int
    region: str
    child: Child

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def wait(self, seconds: float = _READY_SECONDS) -> None:
        """It answers.

        Raises:
            LocalError: it ended, with the end of its log, or did not answer in time.
        """
        deadline = time.monotonic() + seconds
        while not _is_ready(self.port):
            if self.child.exit_status is not None:
                raise LocalError(_ended(self.child))
            if time.monotonic() > deadline:
                raise LocalError(_silent(self.child, seconds))
            time.sleep(_POLL_SECONDS)


def start(workspace: Workspace, region: str) -> EmbeddedAws:
    """The embedded AWS is on its way up; `wait` for it before the first call.

    The listening socket is opened here and handed over, so no other program can take
    the port in between and a connection made too early waits instead of failing. It has
    the public parameters that name the images of the instances.
    """
    home = workspace.folder / "aws"
    (home / _STATE).mkdir(parents=True)
    known = state(images(), ACCOUNT, region)
    (home / _STATE / FILE).write_text(known, encoding="utf-8")
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        bind = ("--bind", f"fd://{listener.fileno()}", "--workers", "0", "--keep-alive", "75")
        command = Command(
            (sys.executable, "-m", "hypercorn", *bind, "ministack.app:app"),
            environment(home, port, region),
            home,
            (listener.fileno(),),
            grace=0.0,  # it would save its state first, which nobody will read
        )
        child = workspace.start(command, workspace.folder / "aws.log")
    return EmbeddedAws(port, region, child)


def environment(home: Path, port: int, region: str) -> dict[str, str]:
    """All that ministack may know: nothing of the laptop's own AWS set-up reaches it.

    It opens an MQTT and an SFTP port on every interface, keeps state in the temporary
    folder of the machine and removes containers of a Docker daemon that it finds: all of
    that is off.
    """
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(home),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",  # for the public parameters that lie there
        "STATE_DIR": str(home / _STATE),
        "S3_PERSIST": "0",
        "S3_DATA_DIR": str(home / "s3"),
        "DOCKER_HOST": f"unix://{home}/no-docker.sock",
        "LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
    }


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        answer = connection.getresponse()
        return answer.status == http.HTTPStatus.OK and "services" in json.load(answer)
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def _ended(child: Child) -> str:
    return (
        f"The embedded AWS ended with status {child.exit_status} before it answered. "
        f"The end of its log:\n{child.end_of_log()}"
    )


def _silent(child: Child, seconds: float) -> str:
    return (
        f"The embedded AWS did not answer within {seconds:.0f} s. "
        f"The end of its log:\n{child.end_of_log()}"
    )
