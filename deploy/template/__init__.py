"""One CloudFormation template, made by the decorators of a topology. Pure."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from logging import Logger, getLogger
from typing import Protocol

from troposphere import Template, awslambda

from deploy.artifact import ReleasePointer
from deploy.errors import SettingsError, TwofoldError
from deploy.settings import Settings
from deploy.template.declarations import declared_queues, name_of
from deploy.template.merge import merge
from deploy.template.queue import Queue
from deploy.template.references import dangling


@dataclass(frozen=True)
class Deployment:
    """What a decorator may read: settings, artifact, ops files, the function, the queues.

    `ops` maps a path below ops/ to its text. `function` is the Lambda function's resource
    as the decorator `function` will add it; a decorator that comes before that one in the
    topology may still change it, such as its environment. `queues` are the work queues of
    the topology that is composed.
    """

    settings: Settings
    artifact: ReleasePointer
    ops: Mapping[str, str]
    function: awslambda.Function
    queues: tuple[Queue, ...] = ()
    logger: Logger = field(default=getLogger("twofold"), compare=False)

    @property
    def service(self) -> str:
        return self.settings.name

    @property
    def stack(self) -> str:
        return self.settings.stack

    @property
    def function_id(self) -> str:
        """The function's logical ID."""
        return str(self.function.title)


class TemplateDecorator(Protocol):
    """Adds its part of the stack to a template that is empty and its own.

    It may have `settings`, the Setting values that it reads: see `declarations.declares`;
    and `queue`, the Queue that it adds: both sides are told of it.
    """

    def __call__(self, template: Template, deployment: Deployment, /) -> None: ...


def compose(deployment: Deployment, topology: Sequence[TemplateDecorator]) -> Template:
    """The template that holds what every decorator added.

    Equal inputs give equal templates, byte for byte once they are JSON: the function is copied
    first, so what a decorator changes in it is gone with this composition.

    Raises:
        SettingsError: two queues have one name; or a line for each decorator that failed,
            each key that two of them added and each reference to something that nobody added.
    """
    function, queues = copy.deepcopy(deployment.function), declared_queues(topology)
    deployment = replace(deployment, function=function, queues=queues)
    parts = [(name_of(decorator), Template()) for decorator in topology]
    problems: list[str] = []
    for decorator, (_, part) in zip(topology, parts, strict=True):
        problems += _fill(part, decorator, deployment)
    merged = Template(Description=f"{deployment.stack}: one service on Lambda and on EC2")
    problems += merge(merged, parts)
    # What a failed decorator would have added is missed everywhere else: that is no news.
    problems = problems or dangling((name, part.to_dict()) for name, part in parts)
    if problems:
        raise SettingsError("\n".join(problems))
    return merged


def _fill(part: Template, decorator: TemplateDecorator, deployment: Deployment) -> list[str]:
    name = name_of(decorator)
    try:
        decorator(part, deployment)
        part.to_dict()
    except TwofoldError as error:
        return [f"Decorator {name!r}: {error}"]
    except Exception as error:  # a user's decorator may raise anything; say whose it was
        return [f"Decorator {name!r} failed{_where(error)}: {type(error).__name__}: {error}"]
    return []


def _where(error: Exception) -> str:
    """The line of the decorator itself, not of what it called; none once it has returned."""
    frames = traceback.extract_tb(error.__traceback__)[1:2]
    return "".join(f" at {f.filename}:{f.lineno}" for f in frames if f.name != "to_dict")
