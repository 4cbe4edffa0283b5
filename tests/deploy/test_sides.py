"""What is said of a stack that lacks what is asked for."""

from __future__ import annotations

from deploy.aws import Aws
from deploy.connection import Connection
from deploy.sides import no_queue
from deploy.stack import Stack
from deploy.template.queue import Queue
from tests.deploy.stacks import deployment

QUEUES = [Queue(name, "lambda") for name in ("big-orders", "reports", "new")]


def test_a_queue_that_is_not_there_is_told_with_those_that_are() -> None:
    connection = Connection(deployment().settings, Aws("eu-central-1"), None)
    outputs = {"BigOrdersQueueUrl": "https://x/1", "ReportsQueueUrl": "https://x/2"}
    stack = Stack("id", "hello-dev", "CREATE_COMPLETE", "", outputs)
    assert no_queue(connection, stack, "report", QUEUES) == (
        "Stack 'hello-dev' has no queue 'report'; its queues: big-orders, reports. Correct "
        "--queue, or add the queue to deploy/topology.py and run: "
        "twofold provision --stage dev --region eu-central-1"
    )
