"""Names, intrinsics, escapes: what becomes of a text, and that nothing of it is lost."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from troposphere import GetAtt, Ref

from deploy.errors import SettingsError
from deploy.expression import USER_DATA_LIMIT, expression, literal_size, user_data
from tests.deploy.evaluator import evaluate

REGION = {"Ref": "AWS::Region"}
ATTRIBUTE = {"Fn::GetAtt": ["ResName", "AttrName"]}
VALUES: dict[str, Any] = {"Key1": "Value1", "Key2": "Value2", "port": 9999, "queue": Ref("Queue")}


def parts(text: str, **values: Any) -> list[Any]:
    joined = expression(text, values or VALUES)["Fn::Join"]
    assert joined[0] == ""
    return list(joined[1])


def result(text: str, **values: Any) -> Any:
    return evaluate(expression(text, values or VALUES))


def refusal(text: str, **values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        expression(text, values or VALUES, "user-data.sh")
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HelloWorld", ["HelloWorld"]),
        ("Hello {{ .Key1 }}", ["Hello Value1"]),
        ("{{ .Key1 }}=={{ .Key2 }}", ["Value1==Value2"]),
        ('A { "Fn::GetAtt" : [ "ResName" , "AttrName"] }', ["A ", ATTRIBUTE]),
        ('A { "Fn::GetAtt" : ["ResName", "AttrName"]} B', ["A ", ATTRIBUTE, " B"]),
        ('{ "Fn::GetAtt" : ["ResName", "AttrName"]}\nA', [ATTRIBUTE, "\n", "A"]),
        ('{"Ref": "AWS::Region"}', [REGION]),
        ('A {"Ref" : "AWS::Region"} B', ["A ", REGION, " B"]),
        ('A\n{"Ref": "AWS::Region"}\nB', ["A\n", REGION, "\n", "B"]),
        ('{"Ref": "AWS::Region"} = {"Ref": "AWS::Region"}', [REGION, " = ", REGION]),
    ],
)
def test_the_inputs_that_the_original_tested_give_its_parts(text: str, expected: list[Any]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "A\n\nB",
        "A\n\n\n",
        "\r\nA\r\n\r\nB\r\n",
        "trailing\n",
        "no end",
        "${VAR} ${#array} ${VAR:-{}} $((1+2)) }} }",
        "cat <<EOF\n\n  text\n\nEOF\n",
        '{"Reference": 1}',
        '{ " Ref": "X"}',
        '{"Other": 1, "Ref": "X"}',
        '{"Ref": "X", "Other": 1}',
        '{\n  "Ref": "X"\n}',
        '{"a": {"b": [1, {}]}}',
        "{Ref: X}",
        "{{resolve:ssm:/path/to:1}}",
        "üñí\u2028\x0b\x0c\x85 one line",
    ],
)
def test_what_is_no_intrinsic_stays(text: str) -> None:
    assert result(text) == text
    assert all(isinstance(part, str) for part in parts(text))


def test_a_line_is_a_part_so_that_templates_differ_by_line() -> None:
    assert parts("A\n\nB") == ["A\n", "\n", "B"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"Fn::GetAtt": "Db.Endpoint.Address"}', "Db.Endpoint.Address"),
        ('{"Fn::Sub": "${AWS::Region}-x"}', "eu-central-1-x"),
        ('{"Fn::Sub": ["${A}!", {"A": {"Ref": "AWS::Region"}}]}', "eu-central-1!"),
        ('{"Fn::ImportValue": "shared-vpc"}', "vpc-1"),
        ('{"Fn::Select": [1, ["a", "b"]]}', "b"),
        ('{"Fn::Select": ["0", {"Fn::GetAZs": ""}]}', "eu-central-1a"),
        ('{"Fn::Select": [1, {"Fn::Split": ["-", {"Ref": "AWS::Region"}]}]}', "central"),
        ('{"Fn::FindInMap": ["Images", {"Ref": "AWS::Region"}, "amd64"]}', "ami-1"),
        ('{"Fn::Join": ["-", ["a", {"Ref": "AWS::StackName"}]]}', "a-hello-dev"),
        ('{"Fn::If": ["Large", "big", "small"]}', "big"),
        ('{"Fn::Base64": "text"}', "dGV4dA=="),
        ('x{"a": {"Ref": "AWS::Region"}}y', 'x{"a": eu-central-1}y'),
        ('["{"Ref": "AWS::Region"}", {"Ref":"AWS::Region"}]', '["eu-central-1", eu-central-1]'),
    ],
)
def test_an_intrinsic_is_evaluated_where_it_stands(text: str, expected: str) -> None:
    assert result(f"before {text} after\n") == f"before {expected} after\n"


@pytest.mark.parametrize(
    "text",
    [
        '{"Fn::ToJsonString": {"a": {"Ref": "AWS::Region"}}}',
        '{"Fn::Length": [1, 2]}',
        '{"Fn::Transform": {"Name": "Macro", "Parameters": {"A": 1}}}',
        '{"Fn::Join": [",", {"Fn::Cidr": ["10.0.0.0/16", 2, 8]}]}',
        '{"Fn::FindInMap": ["A", "B", "C", {"DefaultValue": "x"}]}',
        '{"Ref": "a}b"}',
    ],
)
def test_further_intrinsics_are_kept_as_they_are(text: str) -> None:
    assert parts(text) == [json.loads(text)]


def test_a_name_stands_in_an_intrinsic_too() -> None:
    text = 'ADDRESS={ "Fn::GetAtt" : [ "{{ .database }}" , "Endpoint.Address" ] }'
    expected = ["ADDRESS=", {"Fn::GetAtt": ["Db", "Endpoint.Address"]}]
    assert parts(text, database="Db") == expected


def test_a_list_may_be_a_value_where_a_list_belongs() -> None:
    assert result('{"Fn::Select": [0, "{{ zones }}"]}', zones={"Fn::GetAZs": ""}) == "eu-central-1a"


def test_an_intrinsic_among_text_in_an_intrinsic_is_joined() -> None:
    assert result('{"Fn::Base64": "{{ a }}-b"}', a=REGION) == "ZXUtY2VudHJhbC0xLWI="


def test_a_value_in_a_sub_is_text_and_no_variable() -> None:
    text = '{"Fn::Sub": "{{ value }} in ${AWS::Region}"}'
    assert result(text, value="${AWS::StackName}") == "${AWS::StackName} in eu-central-1"


@pytest.mark.parametrize("value", [GetAtt("Queue", "Arn"), {"Fn::GetAtt": ["Queue", "Arn"]}])
def test_a_value_may_be_an_intrinsic(value: Any) -> None:
    assert result("arn={{ arn }};", arn=value) == "arn=Queue.Arn;"


def test_a_value_may_be_a_number() -> None:
    assert result("port {{port}}") == "port 9999"


def test_a_text_value_is_never_searched_for_intrinsics() -> None:
    value = '{"Ref": "AWS::Region"} {{ Key1 }}'
    assert parts("{{ value }}", value=value) == [value]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{{ "{{" }} name }}', "{{ name }}"),
        ('{{ "{" }}"Ref": "AWS::Region"}', '{"Ref": "AWS::Region"}'),
        ('{{ "a \\"quoted\\" }} \\u00fc" }}', 'a "quoted" }} ü'),
        ('{{""}}', ""),
    ],
)
def test_a_quoted_text_is_the_escape(text: str, expected: str) -> None:
    assert result(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a\n\n{{ prt }}",
            "user-data.sh, line 3: {{ prt }} is unknown; known are Key1, Key2, port, queue.",
        ),
        (
            "{{ a b }}",
            'user-data.sh, line 1: {{ a b }} is neither {{ name }} nor {{ "text" }}; '
            'write {{ "{{" }} for a literal {{.',
        ),
        (
            '\n{"Ref": 1}',
            'user-data.sh, line 2: {"Ref": 1} is malformed; Ref takes a name.',
        ),
        (
            '{"Fn::FindInMap": ["A", "B"]}',
            'user-data.sh, line 1: {"Fn::FindInMap": ["A", "B"]} is malformed; '
            "Fn::FindInMap takes a list of map, first key and second key.",
        ),
        (
            '{"Fn::GetAZs": ""}',
            'user-data.sh, line 1: {"Fn::GetAZs": ""} gives a list; '
            "use Fn::Select or Fn::Join on it.",
        ),
        (
            '{"Ref": "A", "Ref": "B"}',
            'user-data.sh, line 1: {"Ref": "A", "Ref": "B"} begins like an intrinsic but is not '
            "JSON on one line (a key is repeated: Ref, Ref); "
            'write {{ "{" }} for a literal brace.',
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error_with_its_line(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    "text",
    [
        "{{",
        "{{}}",
        "{{ range }",
        "{{ Key1\n}}",
        "{{ Key1 | upper }}",
        "{{{ Key1 }}}",
        '{{ "unended }}',
        '{{ "\\q" }}',
        '{"Ref": X}',
        '{"Ref": "X"',
        '{"Ref":\n"X"}',
        '{"Ref": ""}',
        '{"Ref": ["X"]}',
        '{"Ref": NaN}',
        '{"Fn::GetAtt": "NoAttribute"}',
        '{"Fn::GetAtt": ["A"]}',
        '{"Fn::GetAtt": ["A", "B", "C"]}',
        '{"Fn::Getatt": ["A", "B"]}',
        '{"Fn::Equals": ["A", "B"]}',
        '{"Fn::Sub": {"A": "B"}}',
        '{"Fn::Select": ["a"]}',
        '{"Fn::Join": [1, []]}',
        '{"Fn::If": ["A", "B"]}',
        '{"Fn::Join": ["", [{"Ref": 1}]]}',
        '{"Fn::Join": ["", [{"Fn::Nothing": 1}]]}',
        '{"Fn::Sub": "{{ queue }} x"}',
        '{"Ref": "{{ unknown }}"}',
        '{"Ref": ' + "[" * 100_000,
    ],
)
def test_it_is_an_error_rather_than_a_guess(text: str) -> None:
    assert refusal("first line\n" + text).startswith("user-data.sh, line 2: ")


@pytest.mark.parametrize("value", [None, True, ["a"], {"a": "b"}, {"Ref": 1}, 1.5])
def test_a_value_of_no_use_is_an_error(value: Any) -> None:
    assert refusal("{{ value }}", value=value).startswith("user-data.sh, line 1: ")


def test_a_value_cannot_bring_a_dynamic_reference() -> None:
    message = refusal("{{ name }}", name="{{resolve:ssm:/secret}}")
    assert "the value of {{ name }} holds a dynamic reference" in message


def test_user_data_of_the_limit_is_accepted() -> None:
    joined = user_data("ü" * (USER_DATA_LIMIT // 2) + '{"Ref": "AWS::Region"}', {}, "user-data.sh")
    assert literal_size(joined) == USER_DATA_LIMIT


def test_user_data_over_the_limit_is_an_error_with_its_size() -> None:
    with pytest.raises(SettingsError) as refused:
        user_data("ü" * (USER_DATA_LIMIT // 2) + "x", {}, "user-data.sh")
    assert str(refused.value) == (
        "user-data.sh has 16,385 bytes without its intrinsics; EC2 takes at most 16,384 as user "
        "data. Move work into ops/, which is in the artifact."
    )


# Text that comes near an intrinsic without being one, and everything else.
_FRAGMENTS = (*'{}":[],\\$#\n\r\t ', "\r\n", "Ref", '"Ref"', '{"a":', '"Fn::Sub"', "${VAR}", "\n\n")
_SPEAKS = re.compile(r'\{\{|\{[ \t]*"(?:Ref|Fn::)')
_LITERALS = st.lists(st.sampled_from(_FRAGMENTS) | st.text(max_size=3), max_size=12).map("".join)
_INTRINSICS = st.sampled_from(
    [
        '{"Ref":"AWS::Region"}',
        '{ "Ref" : "AWS::StackName" }',
        '{"Fn::GetAtt":["A","B"]}',
        '{"Fn::Sub":"${AWS::Region}}{"}',
        '{"Fn::Join":["}",[{"Ref":"Queue"},"{"]]}',
    ]
)

# A busy machine is no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(_LITERALS)
def test_text_without_intrinsics_comes_back_unchanged(text: str) -> None:
    assume(not _SPEAKS.search(text))
    assert result(text) == text


@unhurried
@given(st.lists(st.tuples(_LITERALS, _INTRINSICS)), _LITERALS)
def test_intrinsics_give_their_values_and_the_text_around_stays(
    pairs: list[tuple[str, str]], end: str
) -> None:
    literals = [literal for literal, _ in pairs] + [end]
    assume(not any(_SPEAKS.search(literal) or literal.endswith("{") for literal in literals))
    text = "".join(literal + intrinsic for literal, intrinsic in pairs) + end
    values = [str(evaluate(json.loads(intrinsic))) for _, intrinsic in pairs]
    expected = "".join(
        literal + value for literal, value in zip(literals, [*values, ""], strict=True)
    )
    assert result(text) == expected


@unhurried
@given(st.lists(_LITERALS | _INTRINSICS, max_size=6).map("".join))
def test_whatever_is_accepted_is_whole(text: str) -> None:
    try:
        found = parts(text)
    except SettingsError:
        return
    rendered = "".join(part if isinstance(part, str) else json.dumps(part) for part in found)
    assert re.sub(r"\s", "", rendered) == re.sub(r"\s", "", text)


@unhurried
@given(st.text())
def test_every_text_can_be_written(text: str) -> None:
    assert result(f"a{{{{ {json.dumps(text)} }}}}b") == f"a{text}b"


@unhurried
@given(_LITERALS | _INTRINSICS)
def test_every_text_value_arrives_as_it_is(value: str) -> None:
    assert result("<{{ value }}>", value=value) == f"<{value}>"
