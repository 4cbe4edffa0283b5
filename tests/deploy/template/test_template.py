"""Decorators side by side: each alone with its template, none in another's way."""

from __future__ import annotations

import pytest
from troposphere import GetAtt, If, Output, Parameter, Ref, Sub, Template, sqs

from deploy.errors import SettingsError
from deploy.template import Deployment, TemplateDecorator, compose
from deploy.topology import TOPOLOGY
from tests.deploy.stacks import deployment


def queue(template: Template, deployment: Deployment) -> None:
    template.add_resource(sqs.Queue("Queue"))


def letters(template: Template, deployment: Deployment) -> None:
    template.add_resource(sqs.Queue("Letters"))


def refusal(*topology: TemplateDecorator) -> str:
    with pytest.raises(SettingsError) as refused:
        compose(deployment(), topology)
    return str(refused.value)


def test_the_template_holds_what_every_decorator_added() -> None:
    merged = compose(deployment(), (queue, letters))
    assert list(merged.to_dict()["Resources"]) == ["Queue", "Letters"]


def test_each_decorator_starts_with_an_empty_template() -> None:
    seen = []

    def look(template: Template, deployment: Deployment) -> None:
        seen.append(template.to_dict())

    compose(deployment(), (queue, look))
    assert seen == [{"Resources": {}}]


def test_the_description_names_the_stack() -> None:
    assert "hello-dev" in compose(deployment(), ()).to_dict()["Description"]


def test_a_logical_id_that_two_add_is_an_error_that_names_both() -> None:
    def again(template: Template, deployment: Deployment) -> None:
        queue(template, deployment)

    assert refusal(queue, again) == (
        "Decorator 'again' added the logical ID 'Queue', which 'queue' already added."
    )


def _output(template: Template) -> None:
    template.add_output(Output("X", Value="x"))


def _parameter(template: Template) -> None:
    template.add_parameter(Parameter("X", Type="String"))


def _mapping(template: Template) -> None:
    template.add_mapping("X", {"a": {"b": "c"}})


def _condition(template: Template) -> None:
    template.add_condition("X", If("X", "a", "b"))


def _rule(template: Template) -> None:
    template.add_rule("X", {"Assertions": []})


def _metadata(template: Template) -> None:
    template.set_metadata({"X": 1})


@pytest.mark.parametrize(
    ("fill", "kind"),
    [
        (_output, "output"),
        (_parameter, "parameter"),
        (_mapping, "mapping"),
        (_condition, "condition"),
        (_rule, "rule"),
        (_metadata, "metadata key"),
    ],
)
def test_no_section_hides_a_collision(fill: object, kind: str) -> None:
    def first(template: Template, deployment: Deployment) -> None:
        fill(template)  # type: ignore[operator]  # parametrize gives objects

    def second(template: Template, deployment: Deployment) -> None:
        fill(template)  # type: ignore[operator]  # parametrize gives objects

    assert refusal(first, second) == (
        f"Decorator 'second' added the {kind} 'X', which 'first' already added."
    )


def test_a_transform_that_two_need_stands_once() -> None:
    def extended(template: Template, deployment: Deployment) -> None:
        template.set_transform("AWS::LanguageExtensions")

    merged = compose(deployment(), (extended, extended))
    assert merged.to_dict()["Transform"] == ["AWS::LanguageExtensions"]


def test_a_refusal_says_which_decorator_it_came_from() -> None:
    def strict(template: Template, deployment: Deployment) -> None:
        raise SettingsError("colour is not set.")

    assert refusal(strict) == "Decorator 'strict': colour is not set."


def test_a_failure_says_where_in_the_decorator_it_happened() -> None:
    def broken(template: Template, deployment: Deployment) -> None:
        template.add_resource(sqs.Queue("not alphanumeric"))

    line = broken.__code__.co_firstlineno + 1
    assert refusal(broken) == (
        f"Decorator 'broken' failed at {__file__}:{line}: "
        'ValueError: Name "not alphanumeric" not alphanumeric'
    )


def test_a_resource_without_a_required_property_is_its_decorators_failure() -> None:
    def policy(template: Template, deployment: Deployment) -> None:
        template.add_resource(sqs.QueuePolicy("Policy"))

    assert refusal(policy).startswith("Decorator 'policy' failed: ValueError: Resource Policy")


def test_a_decorator_may_be_an_object() -> None:
    class Broken:
        def __call__(self, template: Template, deployment: Deployment) -> None:
            raise SettingsError("no.")

    assert refusal(Broken()) == "Decorator 'Broken': no."


def test_all_that_is_wrong_is_reported_at_once() -> None:
    def strict(template: Template, deployment: Deployment) -> None:
        raise SettingsError("colour is not set.")

    assert len(refusal(strict, queue, queue, strict).splitlines()) == 3


def test_a_reference_to_what_nobody_added_is_an_error() -> None:
    def consumer(template: Template, deployment: Deployment) -> None:
        template.add_output(Output("Url", Value=Ref("Missing")))

    assert refusal(queue, consumer) == (
        "Decorator 'consumer' refers to the resource or parameter 'Missing', which no decorator "
        "added."
    )


def test_decorators_may_refer_to_each_others_resources_in_any_order() -> None:
    def consumer(template: Template, deployment: Deployment) -> None:
        template.add_output(Output("Url", Value=Ref("Queue")))
        template.add_output(Output("Arn", Value=GetAtt("Queue", "Arn")))
        template.add_output(Output("Both", Value=Sub("${Queue} ${Queue.Arn} ${AWS::Region}")))

    assert compose(deployment(), (consumer, queue)).to_dict()["Outputs"]


def test_composing_twice_gives_the_same_bytes() -> None:
    first, second = (compose(deployment(), TOPOLOGY).to_json() for _ in range(2))
    assert first == second


def test_a_change_to_the_function_lasts_for_one_composition() -> None:
    def greedy(template: Template, deployment: Deployment) -> None:
        deployment.function.MemorySize += 1000

    once = deployment()
    first, second = (compose(once, (greedy, *TOPOLOGY)).to_dict() for _ in range(2))
    assert first == second
    assert once.function.MemorySize == 512
