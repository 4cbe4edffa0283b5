"""EDGE: brings a stack to where a plan wants it: upload, change set, wait, outputs.

`survey` looks before anything is built or uploaded; `preview` shows what would change;
`provision` does it. Each order to AWS is one call of Aws, each decision is in `stack`,
`progress` or `plan`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from deploy.aws import Aws
from deploy.console import Console
from deploy.errors import AwsError, StackError
from deploy.settings import BUCKET, Settings
from deploy.stack import Change, ChangeSet, ChangeSetType, change_set_type, plan_lines
from deploy.stack.hints import Hints
from deploy.stack.plan import Plan
from deploy.stack.progress import Goal
from deploy.stack.watch import REAL_TIME, Pace, Waiting, watch


@dataclass(frozen=True)
class Destination:
    """Where a plan may go: looked at, and found ready for it."""

    account: str
    region: str
    bucket: str
    kind: ChangeSetType
    has_stack: bool
    hints: Hints


@dataclass(frozen=True)
class Outcome:
    """What came of it; `result` is planned after a preview. `seconds` is the stack's part."""

    stack: str
    result: Literal["created", "updated", "unchanged", "planned"]
    changes: tuple[Change, ...]
    outputs: Mapping[str, str]
    seconds: float


def survey(aws: Aws, settings: Settings, *, local: bool = False) -> Destination:
    """Credentials, bucket, region and stack are ready for this deployment; nothing is changed.

    Raises:
        SettingsError: no bucket is set.
        AwsError: no credentials, no such bucket, or it is in another region.
        StackError: the stack takes no change set in its state.
    """
    settings.needed(BUCKET)
    account = aws.identity().account
    bucket = usable_bucket(aws, settings)
    offered = Hints(settings.stage, aws.region, local)
    stack = aws.stack(settings.stack)
    kind = change_set_type(stack, offered)
    return Destination(account, aws.region, bucket, kind, stack is not None, offered)


def usable_bucket(aws: Aws, settings: Settings) -> str:
    """The bucket of the settings: it exists, is yours, and is in the stack's region.

    Raises:
        SettingsError: none is set.
        AwsError: it is not usable.
    """
    bucket = settings.needed(BUCKET)
    in_same_region(bucket, aws.bucket_region(bucket), settings.stack, aws.region)
    return bucket


def in_same_region(bucket: str, bucket_region: str, stack: str, stack_region: str) -> None:
    """Lambda and CloudFormation read code only from a bucket of their own region.

    Raises:
        AwsError: the regions differ.
    """
    if bucket_region != stack_region:
        raise AwsError(
            f"Bucket {bucket!r} is in {bucket_region}, but stack {stack!r} is in "
            f"{stack_region}; both must be in one region. Pass --region {bucket_region}, or "
            f"a --bucket in {stack_region}."
        )


def preview(
    aws: Aws, destination: Destination, plan: Plan, console: Console, pace: Pace = REAL_TIME
) -> Outcome:
    """What provisioning the plan would change; the stack stays as it is."""
    change_set = _change_set(aws, destination, plan, console, pace)
    try:
        return _outcome(plan, "unchanged" if change_set.is_empty else "planned", change_set)
    finally:
        _discard(aws, destination, change_set.id, plan.stack, pace)


def provision(
    aws: Aws, destination: Destination, plan: Plan, console: Console, pace: Pace = REAL_TIME
) -> Outcome:
    """The stack is what the plan says, and its release is the plan's artifact.

    Raises:
        AwsError: a request was refused.
        StackError: the stack did not get there.
        KeyboardInterrupt: the message says that the stack goes on by itself.
    """
    start = pace.clock()
    upload_if_absent(aws, plan, console)
    change_set = _change_set(aws, destination, plan, console, pace)
    if change_set.is_empty:
        _discard(aws, destination, change_set.id, plan.stack, pace)
        console.note(f"Stack {plan.stack!r} is up to date: no changes.")
    else:
        _execute(aws, destination, plan.stack, change_set, console=console, pace=pace)
    result = "unchanged" if change_set.is_empty else _RESULTS[destination.kind]
    stack = aws.stack(change_set.stack_id)
    outputs = stack.outputs if stack else {}
    return _outcome(plan, result, change_set, outputs, pace.clock() - start)


Result = Literal["created", "updated", "unchanged", "planned"]
_RESULTS: Mapping[ChangeSetType, Result] = {
    ChangeSetType.CREATE: "created",
    ChangeSetType.UPDATE: "updated",
}
_GONE_SECONDS = 60.0
_GOALS = {ChangeSetType.CREATE: Goal.CREATE, ChangeSetType.UPDATE: Goal.UPDATE}


def _outcome(
    plan: Plan,
    result: Result,
    change_set: ChangeSet,
    outputs: Mapping[str, str] | None = None,
    seconds: float = 0.0,
) -> Outcome:
    return Outcome(plan.stack, result, change_set.changes, outputs or {}, seconds)


def upload_if_absent(aws: Aws, plan: Plan, console: Console) -> None:
    """The bucket holds the artifact under its digest."""
    artifact, pointer = plan.artifact, plan.pointer
    if aws.has_object(pointer.bucket, pointer.key, artifact.size, artifact.sha256):
        console.note(f"s3://{pointer.bucket}/{pointer.key} is there already")
        return
    with console.step(f"Uploading {artifact.size / 1e6:.1f} MB to s3://{pointer.bucket}"):
        aws.upload(pointer.bucket, pointer.key, artifact.path, artifact.sha256)


def _change_set(
    aws: Aws, destination: Destination, plan: Plan, console: Console, pace: Pace
) -> ChangeSet:
    name = f"twofold-{plan.artifact.sha256[:12]}-{uuid.uuid4().hex[:8]}"
    with console.step(f"Comparing with stack {plan.stack!r}"):
        source = _template_source(aws, destination, plan)
        arn = aws.create_change_set(plan.stack, name, destination.kind, source)
        discard = partial(_discard, aws, destination, arn, plan.stack, pace)
        with _undone_on(BaseException, discard):
            change_set = _finished(aws, plan.stack, arn, pace)
    if change_set.status == "FAILED" and not change_set.is_empty:
        discard()
        raise StackError(
            f"CloudFormation refused the template of stack {plan.stack!r}: {change_set.reason} "
            "Look at the template, with the same settings, by: "
            f"twofold template --noop --stage {destination.hints.stage}"
        )
    for line in plan_lines(plan.stack, destination.kind, change_set.changes):
        if not change_set.is_empty:
            console.note(line)
    return change_set


def _template_source(aws: Aws, destination: Destination, plan: Plan) -> str:
    if plan.fits_inline:
        return plan.template
    body = plan.template.encode()
    aws.upload(destination.bucket, plan.template_key, body, plan.template_sha256)
    return aws.object_url(destination.bucket, plan.template_key)


def _finished(aws: Aws, stack: str, arn: str, pace: Pace) -> ChangeSet:
    deadline = pace.clock() + pace.bound
    wait = 0.05
    while (change_set := aws.change_set(arn, stack)).is_pending:
        if pace.clock() > deadline:
            raise StackError(f"The change set for stack {stack!r} was not ready in time. Retry.")
        pace.sleep(wait)
        wait = min(2.0, wait * 1.5)
    return change_set


@contextmanager
def _undone_on(error: type[BaseException], undo: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except error:
        with suppress(AwsError):  # it says less than what is being told
            undo()
        raise


def _discard(aws: Aws, destination: Destination, arn: str, stack: str, pace: Pace) -> None:
    """The change set is gone, and with it the empty stack that it made."""
    try:
        aws.delete_change_set(arn, stack)
    finally:  # a change set in the making cannot be deleted, but goes with its stack
        empty = None if destination.has_stack else aws.stack(stack)
        if empty and empty.status == "REVIEW_IN_PROGRESS":
            aws.delete_stack(empty.id)
            _await_gone(aws, empty.id, pace)


def _await_gone(aws: Aws, stack_id: str, pace: Pace) -> None:
    """So that whoever provisions next meets no stack that is about to vanish."""
    deadline = pace.clock() + _GONE_SECONDS
    while (stack := aws.stack(stack_id)) and stack.status != "DELETE_COMPLETE":
        if pace.clock() > deadline:
            return
        pace.sleep(0.5)


def _waiting(aws: Aws, destination: Destination, change_set: ChangeSet, stack: str) -> Waiting:
    return Waiting(
        stack_id=change_set.stack_id,
        stack=stack,
        goal=_GOALS[destination.kind],
        hints=destination.hints,
        expected=frozenset(change.logical_id for change in change_set.changes),
        seen=aws.last_event(change_set.stack_id),
    )


def _execute(
    aws: Aws,
    destination: Destination,
    stack: str,
    change_set: ChangeSet,
    *,
    console: Console,
    pace: Pace,
) -> None:
    discard = partial(_discard, aws, destination, change_set.id, stack, pace)
    with _undone_on(BaseException, discard):
        waiting = _waiting(aws, destination, change_set, stack)
    doing = "Creating" if waiting.goal is Goal.CREATE else "Updating"
    with console.step(f"{doing} stack {stack!r}"):
        with _undone_on(AwsError, discard):
            _order(aws, waiting, change_set)
        watch(aws, waiting, console, pace)


def _order(aws: Aws, waiting: Waiting, change_set: ChangeSet) -> None:
    """Ctrl-C takes back no request that may be on its way."""
    try:
        aws.execute_change_set(change_set.id, change_set.stack_id)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(waiting.goes_on) from None
