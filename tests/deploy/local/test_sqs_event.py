"""What Lambda's poller makes of messages, and of the function's answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.aws.running import QueueMapping
from deploy.local.sqs_event import done, event
from service.runtime.message import record

ARN = "arn:aws:sqs:eu-central-1:000000000000:hello-dev-orders"
MAPPING = QueueMapping("m", ARN, 10, reports_failures=True, is_enabled=False)
SILENT = QueueMapping("m", ARN, 10, reports_failures=False, is_enabled=False)


def message(identifier: str, **more: Any) -> dict[str, Any]:
    return {
        "MessageId": identifier,
        "ReceiptHandle": f"handle-{identifier}",
        "Body": "text",
        "MD5OfBody": "1cb251ec0d568de6a929b520c4aed8d1",
        "Attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
        **more,
    }


BATCH = (message("a"), message("b"))


def over(answer: Any, mapping: QueueMapping = MAPPING) -> list[str]:
    payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return [each["MessageId"] for each in done(payload, BATCH, mapping)]


def reported(*identifiers: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": each} for each in identifiers]}


def test_a_record_is_as_lambda_writes_it() -> None:
    text = {"DataType": "String", "StringValue": "x"}
    binary = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    sent = message("a", MessageAttributes={"t": text, "b": binary})
    assert event([sent], MAPPING) == {
        "Records": [
            {
                "messageId": "a",
                "receiptHandle": "handle-a",
                "body": "text",
                "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
                "messageAttributes": {
                    "t": {
                        "dataType": "String",
                        "stringValue": "x",
                        "stringListValues": [],
                        "binaryListValues": [],
                    },
                    "b": {
                        "dataType": "Binary",
                        "binaryValue": "AP8=",
                        "stringListValues": [],
                        "binaryListValues": [],
                    },
                },
                "md5OfBody": "1cb251ec0d568de6a929b520c4aed8d1",
                "eventSource": "aws:sqs",
                "eventSourceARN": ARN,
                "awsRegion": "eu-central-1",
            }
        ]
    }


def test_a_record_is_the_one_that_the_instances_worker_makes() -> None:
    text = {"DataType": "Number.int", "StringValue": "7"}
    binary = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    plain = message("a")
    full = message("b", MessageAttributes={"t": text, "b": binary}, MD5OfMessageAttributes="d1")
    assert event([plain, full], MAPPING)["Records"] == [record(plain, ARN), record(full, ARN)]
    assert event([full], MAPPING)["Records"][0]["md5OfMessageAttributes"] == "d1"


@pytest.mark.parametrize(
    "answer",
    [b"", None, {}, "text", reported(), {"batchItemFailures": None}, {"statusCode": 200}],
)
def test_an_answer_that_reports_nothing_is_a_success(answer: Any) -> None:
    assert over(answer) == ["a", "b"]


def test_what_is_reported_stays() -> None:
    assert over(reported("a")) == ["b"]


@pytest.mark.parametrize(
    "answer",
    [
        b"no JSON",
        reported(""),
        reported(None),
        reported("c"),
        {"batchItemFailures": [{"itemidentifier": "a"}]},
    ],
)
def test_a_report_that_lambda_does_not_understand_fails_the_whole_batch(answer: Any) -> None:
    assert over(answer) == []


def test_without_a_report_asked_for_every_answer_is_a_success() -> None:
    assert over(reported("a"), SILENT) == ["a", "b"]
