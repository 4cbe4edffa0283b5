"""A queue of work: who takes its messages, who may send, and what would be refused."""

from __future__ import annotations

from typing import Any

import pytest
from cfnlint.api import lint
from troposphere import Ref

from deploy.decorators.fleet import fleet
from deploy.decorators.function import function
from deploy.decorators.instance_role import instance_role
from deploy.decorators.launch_template import launch_template
from deploy.decorators.network import network
from deploy.decorators.work_queue import WorkQueue, work_queue
from deploy.errors import SettingsError
from deploy.template import TemplateDecorator, compose
from deploy.topology import TOPOLOGY
from tests.deploy.evaluator import evaluate
from tests.deploy.stacks import composed, deployment, properties

DAY = 86_400
ENV = {
    "cloud-init/user-data.sh": "SERVICE_QUEUES={{ queues }}\nWORKER={{ worker_queues }}\n",
}


def made(*queues: WorkQueue, **settings: Any) -> dict[str, Any]:
    return composed((*queues, *TOPOLOGY), **settings)


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Logical ID -> properties."""
    return {
        title: resource["Properties"]
        for title, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def queue_named(template: dict[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    queues = of_type(template, "AWS::SQS::Queue").items()
    (found,) = [(title, each) for title, each in queues if each["QueueName"] == name]
    return found


def statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """What this role may do with queues, by inline policies and by attached ones."""
    inline = properties(template, role)["Policies"]
    attached = [
        policy
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if policy["Roles"] == [{"Ref": role}]
    ]
    return [
        statement
        for policy in (*inline, *attached)
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"][0].startswith("sqs:")
    ]


def refusal(*queues: WorkQueue, topology: tuple[TemplateDecorator, ...] = TOPOLOGY) -> str:
    with pytest.raises(SettingsError) as refused:
        composed((*queues, *topology))
    return str(refused.value)


@pytest.mark.parametrize("runtime", ["lambda", "instance"])
@pytest.mark.parametrize("fifo", [False, True])
def test_cfn_lint_has_nothing_to_say(runtime: Any, fifo: bool) -> None:
    alarmed = work_queue("big-orders", runtime=runtime, fifo=fifo, alarm_actions=["arn:aws:x"])
    entries = (alarmed, work_queue("second", runtime="lambda"), *TOPOLOGY)
    found = lint(compose(deployment(entries), entries).to_json(), regions=["eu-central-1"])
    assert [str(match) for match in found] == []


def test_without_queues_nothing_but_the_user_data_may_name_one() -> None:
    template = composed()
    assert "SQS" not in str(template)
    assert "SERVICE_QUEUES" not in str(template)


def test_a_message_is_encrypted_and_kept_for_some_days() -> None:
    template = made(work_queue("orders", runtime="lambda", retention_days=3))
    _, queue = queue_named(template, "hello-dev-orders")
    assert (queue["SqsManagedSseEnabled"], queue["MessageRetentionPeriod"]) == (True, 3 * DAY)
    assert "FifoQueue" not in queue


def test_a_dead_letter_comes_from_this_queue_only_and_stays_longer() -> None:
    template = made(work_queue("orders", runtime="lambda", max_receives=7))
    letters, dead = queue_named(template, "hello-dev-orders-dead-letters")
    _, queue = queue_named(template, "hello-dev-orders")
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [letters, "Arn"]},
        "maxReceiveCount": 7,
    }
    arn = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:hello-dev-orders"
    assert dead["RedriveAllowPolicy"] == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [{"Fn::Sub": arn}],
    }
    assert dead["MessageRetentionPeriod"] == 14 * DAY > queue["MessageRetentionPeriod"]
    assert dead["SqsManagedSseEnabled"]


def test_a_fifo_queue_has_fifo_dead_letters_and_another_logical_id() -> None:
    in_order = made(work_queue("orders", runtime="lambda", fifo=True))
    title, queue = queue_named(in_order, "hello-dev-orders.fifo")
    _, dead = queue_named(in_order, "hello-dev-orders-dead-letters.fifo")
    assert queue["FifoQueue"]
    assert dead["FifoQueue"]
    assert "ContentBasedDeduplication" not in queue
    assert title not in made(work_queue("orders", runtime="lambda"))["Resources"]


def test_the_function_takes_batches_through_its_alias_and_may_fail_parts_of_them() -> None:
    template = made(work_queue("orders", runtime="lambda", batch_size=5))
    title, _ = queue_named(template, "hello-dev-orders")
    ((mapping, found),) = of_type(template, "AWS::Lambda::EventSourceMapping").items()
    assert found == {
        "EventSourceArn": {"Fn::GetAtt": [title, "Arn"]},
        "FunctionName": {"Ref": "ServiceAlias"},
        "BatchSize": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    (permission,) = of_type(template, "AWS::IAM::Policy")
    assert template["Resources"][mapping]["DependsOn"] == permission


def test_a_large_batch_is_gathered_for_a_second() -> None:
    template = made(work_queue("orders", runtime="lambda", batch_size=11), timeout_seconds=10)
    (mapping,) = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    _, queue = queue_named(template, "hello-dev-orders")
    assert (mapping["MaximumBatchingWindowInSeconds"], queue["VisibilityTimeout"]) == (1, 61)


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        ({"runtime": "lambda"}, 6 * 20),
        ({"runtime": "instance"}, 60),
        ({"runtime": "lambda", "visibility_seconds": 20}, 20),
        ({"runtime": "instance", "visibility_seconds": 43_200}, 43_200),
    ],
)
def test_a_message_is_hidden_for_as_long_as_its_consumer_needs(
    arguments: dict[str, Any], seconds: int
) -> None:
    template = made(work_queue("orders", **arguments), timeout_seconds=20)
    assert queue_named(template, "hello-dev-orders")[1]["VisibilityTimeout"] == seconds


def test_the_instances_queue_has_no_mapping() -> None:
    template = made(work_queue("orders", runtime="instance"))
    assert of_type(template, "AWS::Lambda::EventSourceMapping") == {}


@pytest.mark.parametrize(
    ("runtime", "consumer", "other"),
    [
        ("lambda", "ServiceFunctionRole", "ServiceInstanceRole"),
        ("instance", "ServiceInstanceRole", "ServiceFunctionRole"),
    ],
)
def test_both_sides_send_and_only_the_consumer_takes(
    runtime: Any, consumer: str, other: str
) -> None:
    template = made(work_queue("orders", runtime=runtime))
    arn = {"Fn::GetAtt": [queue_named(template, "hello-dev-orders")[0], "Arn"]}
    send = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": arn}
    extend = ["sqs:ChangeMessageVisibility"] if runtime == "instance" else []
    take = [*extend, "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    assert statements(template, other) == [send]
    assert statements(template, consumer) == [send, {**send, "Action": take}]


def test_both_sides_know_all_queues_and_the_instances_know_which_are_theirs() -> None:
    queues = (work_queue("orders", runtime="lambda"), work_queue("slow", runtime="instance"))
    template = made(*queues, ops=ENV)
    titles = [queue_named(template, f"hello-dev-{name}")[0] for name in ("orders", "slow")]
    named = {"Fn::Sub": f"orders=${{{titles[0]}}},slow=${{{titles[1]}}}"}
    variables = properties(template, "ServiceFunction")["Environment"]["Variables"]
    assert variables["SERVICE_QUEUES"] == named
    launched = properties(template, "ServiceLaunchTemplate")["LaunchTemplateData"]
    parts = launched["UserData"]["Fn::Base64"]["Fn::Join"][1]
    assert parts == ["SERVICE_QUEUES=", named, "\n", "WORKER=slow\n"]


def test_without_queues_the_user_data_names_none() -> None:
    launched = properties(made(ops=ENV), "ServiceLaunchTemplate")["LaunchTemplateData"]
    assert evaluate(launched["UserData"]["Fn::Base64"]) == "SERVICE_QUEUES=\nWORKER=\n"


def test_a_new_queue_is_a_new_version_of_the_function() -> None:
    def version(template: dict[str, Any]) -> list[str]:
        return list(of_type(template, "AWS::Lambda::Version"))

    with_one = made(work_queue("orders", runtime="instance"))
    assert version(with_one) != version(made())
    assert version(with_one) == version(made(work_queue("orders", runtime="lambda")))


def test_two_alarms_watch_what_was_given_up_and_what_waits() -> None:
    topic = Ref("AWS::NoValue")
    queue = work_queue("orders", runtime="lambda", oldest_minutes=5, alarm_actions=[topic])
    alarms = of_type(made(queue), "AWS::CloudWatch::Alarm").values()
    assert [(alarm["MetricName"], alarm["Threshold"]) for alarm in alarms] == [
        ("ApproximateNumberOfMessagesVisible", 0),
        ("ApproximateAgeOfOldestMessage", 300),
    ]
    watched = [alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for alarm in alarms]
    assert [title[:15] for title in watched] == ["OrdersDeadLette", "OrdersQueue03bc"]
    assert [alarm["AlarmActions"] for alarm in alarms] == [[{"Ref": "AWS::NoValue"}]] * 2


def test_the_outputs_say_where_to_send_and_where_the_dead_letters_are() -> None:
    template = made(work_queue("big-orders", runtime="lambda"))
    queue, _ = queue_named(template, "hello-dev-big-orders")
    dead, _ = queue_named(template, "hello-dev-big-orders-dead-letters")
    assert template["Outputs"]["BigOrdersQueueUrl"]["Value"] == {"Ref": queue}
    assert template["Outputs"]["BigOrdersDeadLettersUrl"]["Value"] == {"Ref": dead}


def test_a_side_that_is_left_out_takes_nothing_along() -> None:
    lambda_only = composed((work_queue("orders", runtime="lambda"), function))
    assert "ServiceInstanceRole" not in str(lambda_only)
    ec2 = (network, instance_role, launch_template, fleet)
    ec2_only = composed((work_queue("orders", runtime="instance"), *ec2))
    assert "ServiceFunction" not in str(ec2_only)


@pytest.mark.parametrize(
    ("runtime", "topology", "missing"),
    [
        ("instance", (function,), "ServiceInstanceRole"),
        ("lambda", (network, instance_role, launch_template, fleet), "ServiceFunctionRole"),
    ],
)
def test_a_queue_without_its_consumers_side_is_an_error(
    runtime: Any, topology: tuple[TemplateDecorator, ...], missing: str
) -> None:
    found = refusal(work_queue("orders", runtime=runtime), topology=topology)
    assert found.splitlines()[0] == (
        f"Decorator 'work_queue orders' refers to the resource or parameter {missing!r}, which "
        "no decorator added."
    )


def test_the_same_queue_twice_is_an_error() -> None:
    twice = (work_queue("orders", runtime="lambda"), work_queue("orders", runtime="instance"))
    assert refusal(*twice) == ("The topology has two queues 'orders'. Give each a name of its own.")


def test_a_name_that_is_no_text_is_an_error() -> None:
    nameless: Any = 5
    assert refusal(work_queue(nameless, runtime="lambda")) == (
        "A queue's name is 5; expected text like 'orders' or 'big-orders'."
    )


@pytest.mark.parametrize("name", ["", "Orders", "my_orders", "orders-", "1st", "a--b", "a.fifo"])
def test_a_malformed_name_is_an_error_with_the_form(name: str) -> None:
    assert refusal(work_queue(name, runtime="lambda")) == (
        f"Decorator 'work_queue {name}': A queue's name is {name!r}; expected a form like "
        "'orders' or 'big-orders'."
    )


def test_a_name_that_a_dead_letter_queue_may_have_is_an_error() -> None:
    assert refusal(work_queue("orders-dead-letters", runtime="lambda")) == (
        "Decorator 'work_queue orders-dead-letters': A queue's name is 'orders-dead-letters'; "
        "names that end in '-dead-letters' are those of dead-letter queues. Give it another name."
    )


def test_a_name_that_sqs_would_not_take_is_an_error() -> None:
    fits = 80 - len("hello-dev--dead-letters.fifo")
    made(work_queue("x" * fits, runtime="lambda", fifo=True))
    assert "has 81 characters; SQS takes 80. Give it a shorter name." in refusal(
        work_queue("x" * (fits + 1), runtime="lambda", fifo=True)
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"runtime": "ec2"},
            "runtime of queue 'orders' is 'ec2'; expected 'lambda' or 'instance'.",
        ),
        (
            {"batch_size": 11, "fifo": True},
            "batch_size of queue 'orders' is 11; Lambda takes 1 to 10 messages of a FIFO queue "
            "at once.",
        ),
        (
            {"batch_size": 10_001},
            "batch_size of queue 'orders' is 10001; Lambda takes 1 to 10000 messages of a queue "
            "at once.",
        ),
        (
            {"batch_size": 10, "runtime": "instance"},
            "batch_size of queue 'orders' is for Lambda, but the instances' worker takes its "
            "messages. Leave batch_size out.",
        ),
        (
            {"batch_size": "10"},
            "batch_size of queue 'orders' is '10'; Lambda takes 1 to 10000 messages of a queue at "
            "once.",
        ),
        (
            {"alarm_actions": "arn:aws:sns:x"},
            "alarm_actions of queue 'orders' is 'arn:aws:sns:x'; expected a list of ARNs, such as "
            '[Ref("AlarmTopic")].',
        ),
        (
            {"alarm_actions": [None]},
            "alarm_actions of queue 'orders' is [None]; expected a list of ARNs, such as "
            '[Ref("AlarmTopic")].',
        ),
        (
            {"max_receives": None},
            "max_receives of queue 'orders' is None; expected a whole number from 1 to 1000.",
        ),
        (
            {"retention_days": 2.5},
            "retention_days of queue 'orders' is 2.5; expected a whole number from 1 to 13.",
        ),
        (
            {"max_receives": 0},
            "max_receives of queue 'orders' is 0; expected a whole number from 1 to 1000.",
        ),
        (
            {"visibility_seconds": 29},
            "visibility_seconds of queue 'orders' is 29; expected a whole number from 30 to 43200.",
        ),
        (
            {"visibility_seconds": 9, "runtime": "instance"},
            "visibility_seconds of queue 'orders' is 9; expected a whole number from 10 to 43200.",
        ),
        (
            {"retention_days": 14},
            "retention_days of queue 'orders' is 14; expected a whole number from 1 to 13.",
        ),
        (
            {"oldest_minutes": 1_441, "retention_days": 1},
            "oldest_minutes of queue 'orders' is 1441; expected a whole number from 1 to 1440.",
        ),
    ],
)
def test_what_sqs_or_lambda_would_refuse_is_an_error(arguments: dict[str, Any], text: str) -> None:
    found = refusal(work_queue("orders", **{"runtime": "lambda", **arguments}))
    assert found == f"Decorator 'work_queue orders': {text}"


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = work_queue("Orders", runtime="lambda", max_receives=0, retention_days=0)
    assert len(refusal(wrong).splitlines()) == 3
