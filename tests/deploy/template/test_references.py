"""Names that a template uses, wherever they stand."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.template.references import dangling


@pytest.mark.parametrize(
    ("section", "entry", "kind"),
    [
        ("Outputs", {"Value": {"Ref": "Lost"}}, "resource or parameter"),
        ("Outputs", {"Value": {"Fn::GetAtt": ["Lost", "Arn"]}}, "resource or parameter"),
        ("Outputs", {"Value": {"Fn::GetAtt": "Lost.Arn"}}, "resource or parameter"),
        ("Outputs", {"Value": {"Fn::Sub": "x${Lost.Arn}"}}, "resource or parameter"),
        ("Outputs", {"Value": {"Fn::Sub": ["${A}${Lost}", {"A": 1}]}}, "resource or parameter"),
        ("Resources", {"DependsOn": "Lost"}, "resource or parameter"),
        ("Resources", {"DependsOn": ["Known", "Lost"]}, "resource or parameter"),
        ("Resources", {"Condition": "Lost"}, "condition"),
        ("Resources", {"Properties": {"A": [{"Fn::If": ["Lost", 1, 2]}]}}, "condition"),
        ("Conditions", {"Fn::And": [{"Condition": "Lost"}]}, "condition"),
        ("Outputs", {"Value": {"Fn::FindInMap": ["Lost", "a", "b"]}}, "mapping"),
    ],
)
def test_a_name_that_nobody_defines_is_found(section: str, entry: Any, kind: str) -> None:
    parts: list[tuple[str, Any]] = [("one", {section: {"E": entry}}), ("two", _known())]
    assert dangling(parts) == [
        f"Decorator 'one' refers to the {kind} 'Lost', which no decorator added."
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "AWS::Region"},
        {"Ref": "Known"},
        {"Ref": "Given"},
        {"Fn::Sub": "${!Lost} ${AWS::Region} ${Known.Arn} ${Given}"},
        {"Fn::Sub": ["${Own}", {"Own": "x"}]},
        {"Fn::Join": ["", ["${Lost}"]]},
        {"Ref": "Lost", "Other": 1},
        {"Condition": {"StringEquals": {"a": "b"}}},
    ],
)
def test_what_is_defined_or_no_reference_is_left_alone(value: Any) -> None:
    assert dangling([("one", {"Outputs": {"E": {"Value": value}}}), ("two", _known())]) == []


def test_the_same_name_is_reported_once() -> None:
    value = [{"Ref": "Lost"}, {"Ref": "Lost"}]
    assert len(dangling([("one", {"Outputs": {"E": {"Value": value}}})])) == 1


def test_a_transform_may_bring_what_is_missing() -> None:
    part = {"Outputs": {"E": {"Value": {"Ref": "Lost"}}}, "Transform": ["Macro"]}
    assert dangling([("one", part)]) == []


def _known() -> dict[str, Any]:
    return {"Resources": {"Known": {}}, "Parameters": {"Given": {}}}
