"""A queue of work: its dead letters, who takes its messages, and the alarms on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import GetAtt, Output, Ref, Sub, Template, awslambda, sqs

from deploy import logical_id
from deploy.decorators.policy import allow, attached
from deploy.decorators.queue_alarms import Actions, action_problems, alarms
from deploy.decorators.queue_limits import (
    DAY,
    DEAD_LETTER_DAYS,
    DEFAULT_BATCH,
    batch_window,
    problems,
    visibility,
)
from deploy.errors import SettingsError
from deploy.settings import TIMEOUT
from deploy.template import Deployment
from deploy.template.queue import Queue, Runtime

# What Lambda's poller needs (AWS Lambda Developer Guide, "Creating and configuring an Amazon
# SQS event source mapping"), and the worker as well, which also extends what it works on.
_TAKE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_EXTEND = "sqs:ChangeMessageVisibility"


def work_queue(
    name: str,
    *,
    runtime: Runtime,
    fifo: bool = False,
    batch_size: int | None = None,
    max_receives: int = 5,
    visibility_seconds: int | None = None,
    retention_days: int = 4,
    oldest_minutes: int = 60,
    alarm_actions: Actions = (),
) -> WorkQueue:
    """A decorator that adds the queue STACK-NAME, which one of the two runtimes works off.

    Both sides may send to it and find its URL in `current().queues[NAME]`.

    Args:
        name: lower-case words and digits, such as 'big-orders'.
        runtime: who takes the messages: the function, through an event source mapping on its
            alias, or `python -m service worker` on every instance.
        fifo: keep the order of each message group. Senders give each message a
            deduplication ID, since two equal messages may both be meant.
        batch_size: how many messages an invocation takes at most, 10 without it; not for
            the instances, whose worker has none.
        max_receives: after so many receipts a message goes to the dead-letter queue; those
            behind a failed one of their message group are received without being tried.
        visibility_seconds: how long a message that was taken is hidden from others. Without
            it, six times the function's timeout for Lambda; for the instances, whose worker
            extends it as long as it works, 60: so soon others get what a killed worker held.
        retention_days: how long a message waits, up to 13; a dead letter is kept for 14.
        oldest_minutes: the alarm on the age of the oldest message begins above this.
        alarm_actions: the ARNs that both alarms notify, such as Ref of an SNS topic.
    """
    queue = Queue(
        name,
        runtime,
        fifo,
        batch_size,
        max_receives,
        visibility_seconds,
        retention_days,
        oldest_minutes,
    )
    return WorkQueue(queue, alarm_actions)


@dataclass(frozen=True)
class WorkQueue:
    """The template decorator that `work_queue` makes; `queue` is what both sides are told."""

    queue: Queue
    alarm_actions: Actions = ()

    @property
    def __name__(self) -> str:
        return f"work_queue {self.queue.name}"

    def __call__(self, template: Template, deployment: Deployment, /) -> None:
        """Queue, dead-letter queue, its consumer, alarms and outputs.

        Raises:
            SettingsError: a line for each argument that SQS or Lambda would refuse.
        """
        timeout = deployment.settings[TIMEOUT]
        found = [
            *problems(self.queue, deployment.stack, timeout),
            *action_problems(self.queue, self.alarm_actions),
        ]
        if found:
            raise SettingsError("\n".join(found))
        template.add_resource(_dead_letters(self.queue, deployment.stack))
        template.add_resource(_work(self.queue, deployment.stack, visibility(self.queue, timeout)))
        _add_consumer(template, self.queue)
        for alarm in alarms(self.queue, self.alarm_actions):
            template.add_resource(alarm)
        _add_outputs(template, self.queue)


def _dead_letters(queue: Queue, stack: str) -> sqs.Queue:
    """A letter keeps the date of its message, so it must be let live longer.

    Amazon SQS Developer Guide, "Using dead-letter queues in Amazon SQS". The source is named
    and not referred to, since the source refers to this one.
    """
    source = f"${{AWS::Region}}:${{AWS::AccountId}}:{queue.physical_name(stack)}"
    return _queue(
        queue,
        queue.dead_letters_id,
        QueueName=queue.dead_letters_name(stack),
        MessageRetentionPeriod=DEAD_LETTER_DAYS * DAY,
        RedriveAllowPolicy={
            "redrivePermission": "byQueue",
            "sourceQueueArns": [Sub(f"arn:${{AWS::Partition}}:sqs:{source}")],
        },
    )


def _work(queue: Queue, stack: str, hidden: int) -> sqs.Queue:
    return _queue(
        queue,
        queue.logical_id,
        QueueName=queue.physical_name(stack),
        MessageRetentionPeriod=queue.retention_days * DAY,
        VisibilityTimeout=hidden,
        RedrivePolicy=sqs.RedrivePolicy(
            deadLetterTargetArn=GetAtt(queue.dead_letters_id, "Arn"),
            maxReceiveCount=queue.max_receives,
        ),
    )


def _queue(queue: Queue, title: str, **properties: Any) -> sqs.Queue:
    """Encrypted at rest with SQS's own key; it goes with the stack, its messages with it."""
    made = sqs.Queue(
        title,
        SqsManagedSseEnabled=True,
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
        **properties,
    )
    if queue.is_fifo:
        made.FifoQueue = True
    return made


def _add_consumer(template: Template, queue: Queue) -> None:
    arn = GetAtt(queue.logical_id, "Arn")
    title = logical_id.derived(f"{queue.title}Consumer", queue.name)
    if queue.runtime == "instance":
        statement = allow(*_TAKE, _EXTEND, on=arn)
        template.add_resource(attached(title, logical_id.INSTANCE_ROLE, statement))
    else:
        statement = allow(*_TAKE, on=arn)
        template.add_resource(attached(title, logical_id.FUNCTION_ROLE, statement))
        template.add_resource(_mapping(queue, title))


def _mapping(queue: Queue, permission: str) -> awslambda.EventSourceMapping:
    """Lambda looks at the role's permissions when the mapping is made."""
    made = awslambda.EventSourceMapping(
        logical_id.derived(f"{queue.title}Mapping", queue.logical_id),
        EventSourceArn=GetAtt(queue.logical_id, "Arn"),
        FunctionName=Ref(logical_id.FUNCTION_ALIAS),
        BatchSize=queue.batch_size or DEFAULT_BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DependsOn=permission,
    )
    if window := batch_window(queue):
        made.MaximumBatchingWindowInSeconds = window
    return made


def _add_outputs(template: Template, queue: Queue) -> None:
    for key, description, of in (
        (logical_id.output_queue(queue.name), f"The queue {queue.name}", queue.logical_id),
        (
            logical_id.output_dead_letters(queue.name),
            f"What the queue {queue.name} gave up",
            queue.dead_letters_id,
        ),
    ):
        template.add_output(Output(key, Description=description, Value=Ref(of)))
