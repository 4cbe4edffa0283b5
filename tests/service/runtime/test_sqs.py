"""service.runtime.sqs: what it tells of an SQS that fails, and of one that refuses."""

from __future__ import annotations

import logging

import boto3
import pytest
from botocore.stub import Stubber

from service.errors import QueueError, QueueRefusedError
from service.runtime.sqs import Queue, level
from tests.service.queues import REGION

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"


def failed(code: str, status: int) -> QueueError:
    """What comes of a delete that SQS answers with an error."""
    client = boto3.session.Session("test", "test", region_name=REGION).client("sqs")
    with Stubber(client) as stub:
        stub.add_client_error("delete_message_batch", code, "No", http_status_code=status)
        with pytest.raises(QueueError) as error:
            Queue("orders", URL, client).delete(["a"])
    return error.value


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDenied", 403),
        ("AWS.SimpleQueueService.NonExistentQueue", 400),
        ("InvalidClientTokenId", 403),
        ("KmsAccessDenied", 400),
    ],
)
def test_what_sqs_refuses_is_an_error_that_names_the_permission_and_the_queue(
    code: str, status: int
) -> None:
    error = failed(code, status)
    assert isinstance(error, QueueRefusedError)
    assert level(error) == logging.ERROR
    assert str(error) == (
        f"Deleting from orders was refused: An error occurred ({code}) when calling the "
        "DeleteMessageBatch operation: No. Allow it to the role (sqs:DeleteMessage), or see that "
        "the queue is still there, at the address that SERVICE_QUEUES has"
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
        ("RequestThrottled", 403),
        ("ThrottlingException", 400),
        ("KmsThrottled", 400),
        ("OverLimit", 403),
        ("RequestTimeoutException", 408),
        ("ExpiredToken", 403),
        ("RequestExpired", 400),
    ],
)
def test_what_passes_by_itself_is_a_failure_and_no_refusal(code: str, status: int) -> None:
    error = failed(code, status)
    assert not isinstance(error, QueueRefusedError)
    assert level(error) == logging.WARNING
    assert str(error).startswith(f"Deleting from orders failed: An error occurred ({code}) ")
