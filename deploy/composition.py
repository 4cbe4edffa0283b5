"""EDGE: reads the ops files, and composes this project's topology with them."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.artifact import ReleasePointer
from deploy.artifact.lock import LOCK, pins
from deploy.artifact.trial import WorkedQueue
from deploy.decorators.function import function_resource
from deploy.errors import SettingsError
from deploy.setting import Setting
from deploy.settings import Settings
from deploy.stack.plan import Compose
from deploy.template import Deployment, TemplateDecorator, compose
from deploy.template.declarations import declared_queues, declared_settings
from deploy.template.queue import RUNTIMES, Queue

try:
    from deploy.topology import TOPOLOGY
except Exception as error:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = (error.filename, error.lineno) if isinstance(error, SyntaxError) else frame[:2]
    raise SettingsError(
        f"deploy/topology.py cannot be imported: {type(error).__name__}: "
        f"{getattr(error, 'msg', error)} ({where[0]}, line {where[1]})."
    ) from error


def topology_settings() -> tuple[Setting[Any], ...]:
    """What the topology's decorators declare; each is a flag of `twofold provision`."""
    return declared_settings(TOPOLOGY)


def topology_queues() -> tuple[Queue, ...]:
    """The work queues of the topology."""
    return declared_queues(TOPOLOGY)


def worked_queues(settings: Settings) -> tuple[WorkedQueue, ...]:
    """The same as the build asks for them; what no runtime works off, `compose` refuses."""
    return tuple(
        (queue.name, queue.physical_name(settings.stack), queue.runtime)
        for queue in topology_queues()
        if queue.runtime in RUNTIMES
    )


def composer(
    settings: Settings, root: Path, topology: Sequence[TemplateDecorator] = TOPOLOGY
) -> Compose:
    """Gives the template's text, once it is known where the artifact is.

    Raises:
        SettingsError: two queues have the same name, or the worker of a queue lacks boto3.
    """
    _refuse_worker_without_boto3(declared_queues(topology), root / LOCK)
    ops = ops_files(root / "ops")

    def composed(pointer: ReleasePointer) -> str:
        function = function_resource(settings, pointer)
        return str(compose(Deployment(settings, pointer, ops, function), topology).to_json())

    return composed


def _refuse_worker_without_boto3(queues: Sequence[Queue], lock: Path) -> None:
    """Lambda's own poller takes its messages; the instances' worker asks SQS itself."""
    for queue in queues:
        if queue.runtime == "instance" and "boto3" not in pins(lock.read_text(encoding="utf-8")):
            raise SettingsError(
                f"Queue {queue.name!r} runs on the instances, whose worker needs boto3. "
                'Add "boto3" to [project] dependencies in pyproject.toml and run make lock.'
            )


def ops_files(folder: Path) -> Mapping[str, str]:
    """Path below the folder -> text."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
