"""The file that tells other commands (`--local`) where a running `twofold up` can be asked."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from deploy.connection import RECORD, ForeignRecordError, LocalCloud, running_cloud
from deploy.errors import LocalError


def running(root: Path) -> LocalCloud | None:
    """What is played in this project; what a dead `twofold up` left behind is nothing.

    Raises:
        ForeignRecordError: another user's record says that something may be.
    """
    try:
        cloud = running_cloud(root)
    except ForeignRecordError:
        raise
    except LocalError:
        return None
    return cloud if _answers(cloud.endpoint) else None


def refuse_second(root: Path) -> None:
    """Nothing is played in this project.

    Raises:
        LocalError: it is, or another user's record says so.
    """
    if cloud := running(root):
        urls = " and ".join(url for url in (cloud.function_url, cloud.instance_url) if url)
        raise LocalError(
            f"A cloud is played in this project already (process {cloud.pid}): "
            f"{urls or cloud.endpoint}. Use that one, or end it with Ctrl-C."
        )


@contextmanager
def written(root: Path, cloud: LocalCloud) -> Iterator[None]:
    """While the block runs, the record is there, whole, and only this user may read it.

    Raises:
        LocalError: another was written since this one looked for the first time.
    """
    refuse_second(root)
    path = root / RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(asdict(cloud), indent=2) + "\n", encoding="utf-8")
    partial.chmod(0o600)
    partial.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _answers(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=2).close()
    except OSError:
        return False
    return True
