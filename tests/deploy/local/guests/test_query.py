"""The query protocol: what is asked, and how an answer is written."""

import json

import pytest

from deploy.local.guests.query import (
    Query,
    answer,
    append,
    as_json,
    parsed,
    query_of,
    refusal,
    rendered,
    signed_for,
)


@pytest.mark.parametrize("encoded", ["Action=A&Tags=&Name=a+b%2F%C3%BC", "A=2&A=1", ""])
def test_a_form_is_written_as_it_was_read(encoded: str) -> None:
    assert query_of(encoded).form().decode() == encoded


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("hello-dev", "hello-dev"),
        ("arn:aws:cloudformation:eu-central-1:0:stack/hello-dev/1-2", "hello-dev"),
        ("arn:aws-cn:cloudformation:cn-north-1:0:stack/a-stack-x/1", "a-stack-x"),
    ],
)
def test_a_stack_is_known_by_its_name(given: str, name: str) -> None:
    assert Query((("StackName", given),)).stack == name


def test_no_stack_has_no_name() -> None:
    assert query_of("Action=DescribeStacks").stack == ""


def test_a_numbered_list_is_read_and_replaced() -> None:
    asked = query_of("InstanceId.1=i-1&InstanceId.2=i-2&InstanceIdX.1=x&InstanceId=y&Action=A")
    assert asked.listed("InstanceId") == ("i-1", "i-2")
    assert asked.with_list("InstanceId", ["i-3"]).form() == (
        b"InstanceIdX.1=x&InstanceId=y&Action=A&InstanceId.1=i-3"
    )


def test_a_signature_is_told_as_one_for_another_service() -> None:
    header = b"AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-central-1/ec2/aws4_request, Signature=0"
    assert signed_for("autoscaling", header) == header.replace(b"/ec2/", b"/autoscaling/")


def test_an_answer_keeps_its_namespace() -> None:
    xml = b'<R xmlns="http://x/"><S a="1">t</S><S /></R>'
    assert rendered(parsed(xml)).splitlines()[-1] == xml


def test_an_answer_without_a_namespace_gets_none() -> None:
    assert rendered(parsed(b"<R><S>t</S></R>")).endswith(b"<R><S>t</S></R>")


def test_an_answer_in_json_is_named_and_a_time_is_a_number() -> None:
    root = answer("DescribeStackResource")
    append(root, {"LastUpdatedTimestamp": "1970-01-01T00:01:00.500Z", "Name": "n"})
    told = json.loads(as_json(root))
    assert told == {"DescribeStackResourceResponse": {"LastUpdatedTimestamp": 60.5, "Name": "n"}}


def test_a_refusal_in_json_has_no_name() -> None:
    told = json.loads(as_json(refusal("Code", "why")))
    assert told["Error"] == {"Type": "Sender", "Code": "Code", "Message": "why"}
