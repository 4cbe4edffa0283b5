"""When somebody should look at a queue: it gave messages up, or they wait for too long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from troposphere import AWSHelperFn, GetAtt, cloudwatch

from deploy import logical_id
from deploy.template.queue import Queue

Actions = Sequence[str | AWSHelperFn]
"""The ARNs that an alarm notifies."""


def alarms(queue: Queue, actions: Actions) -> Iterator[cloudwatch.Alarm]:
    """Both alarms; SQS reports their metrics once a minute."""
    gave_up = f"Messages of queue {queue.name} failed {queue.max_receives} times"
    yield _alarm(
        logical_id.derived(f"{queue.title}DeadLettersAlarm", queue.name),
        gave_up,
        _above(queue.dead_letters_id, "ApproximateNumberOfMessagesVisible", 0),
        actions,
    )
    waits = f"A message of queue {queue.name} waits for more than {queue.oldest_minutes} min"
    yield _alarm(
        logical_id.derived(f"{queue.title}AgeAlarm", queue.name),
        waits,
        _above(queue.logical_id, "ApproximateAgeOfOldestMessage", queue.oldest_minutes * 60),
        actions,
    )


def action_problems(queue: Queue, actions: object) -> Iterator[str]:
    """A line when these are no ARNs; text alone would be taken letter by letter."""
    listed = actions if isinstance(actions, list | tuple) else [None]
    if not all(isinstance(action, str | AWSHelperFn) for action in listed):
        yield (
            f"alarm_actions of queue {queue.name!r} is {actions!r}; expected a list of ARNs, "
            'such as [Ref("AlarmTopic")].'
        )


def _above(queue: str, metric: str, threshold: int) -> dict[str, Any]:
    name = cloudwatch.MetricDimension(Name="QueueName", Value=GetAtt(queue, "QueueName"))
    return {"MetricName": metric, "Dimensions": [name], "Threshold": threshold}


def _alarm(
    title: str, description: str, watched: dict[str, Any], actions: Actions
) -> cloudwatch.Alarm:
    """Of a queue that nobody used for hours SQS reports nothing: there is nothing wrong then."""
    alarm = cloudwatch.Alarm(
        title,
        AlarmDescription=description,
        Namespace="AWS/SQS",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        **watched,
    )
    if actions:
        alarm.AlarmActions = list(actions)
    return alarm
