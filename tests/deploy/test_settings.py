"""deploy.settings: precedence, forms, and one report of all problems."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.errors import SettingsError
from deploy.setting import Setting, cidr, list_of, one_of, optional, text, whole
from deploy.settings import BUCKET, REGION, Settings, load, read

SIZE = Setting("size", text(r"[a-z]\d\.[a-z]+", "a form like 't3.micro'"), "A size.", "t3.micro")
TABLE = {"name": "hello", "stages": {"dev": {}, "prod": {"size": "m7.large"}}}


def settings(
    table: Mapping[str, object] | None = None,
    environment: dict[str, str] | None = None,
    **flags: object,
) -> Settings:
    return read({**TABLE, **(table or {})}, environment or {}, flags, [SIZE])


def problems(
    table: Mapping[str, object] | None = None,
    environment: dict[str, str] | None = None,
    **flags: object,
) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(table, environment, **flags)
    return str(caught.value).splitlines()


def test_a_default_is_the_weakest_source() -> None:
    assert settings()[SIZE] == "t3.micro"


def test_each_source_beats_the_ones_before() -> None:
    project = {"size": "a1.project"}
    environment = {"TWOFOLD_SIZE": "a1.environment"}
    assert settings(project)[SIZE] == "a1.project"
    assert settings(project, stage="prod")[SIZE] == "m7.large"
    assert settings(project, environment, stage="prod")[SIZE] == "a1.environment"
    assert settings(project, environment, stage="prod", size="a1.flag")[SIZE] == "a1.flag"


def test_the_stack_is_named_after_service_and_stage() -> None:
    assert settings().stack == "hello-dev"
    assert settings(stage="prod").stack == "hello-prod"
    assert settings(environment={"TWOFOLD_STAGE": "prod"}).stack == "hello-prod"
    assert settings({"stage": "prod"}).stack == "hello-prod"


def test_all_problems_come_in_one_report() -> None:
    assert problems(
        {"size": "t3,micro", "colour": "red"},
        {"TWOFOLD_PYTHON": "3.9"},
        bucket="No Bucket",
    ) == [
        "colour in pyproject.toml is no setting; twofold provision --help lists what there is.",
        "bucket is 'No Bucket' on the command line; expected a bucket name such as my-artifacts.",
        "python is '3.9' in the environment; expected one of 3.11, 3.12, 3.13.",
        "size is 't3,micro' in pyproject.toml; expected a form like 't3.micro'.",
    ]


def test_a_misspelt_setting_is_guessed() -> None:
    assert problems({"regoin": "eu-central-1"}) == [
        "regoin in pyproject.toml is no setting; did you mean region?"
    ]


def test_an_unknown_stage_names_the_known_ones() -> None:
    assert problems(stage="prd") == [
        "Stage 'prd' is unknown; pyproject.toml has dev, prod. "
        "Pass --stage or add [tool.twofold.stages.prd]."
    ]


@pytest.mark.parametrize("stage", [["dev"], {}, 3])
def test_a_stage_that_is_no_text_is_told_like_any_other_wrong_value(stage: object) -> None:
    assert problems({"stage": stage})[-1] == (
        f"stage is {stage!r} in pyproject.toml; expected up to 16 lower-case letters and digits."
    )


def test_a_bad_value_in_a_stage_names_the_stage() -> None:
    assert problems({"stages": {"dev": {"size": 3}}}) == [
        "size is 3 in stage 'dev' of pyproject.toml; expected a form like 't3.micro'."
    ]


def test_a_setting_without_a_default_has_to_be_set() -> None:
    with pytest.raises(SettingsError) as caught:
        read({"stages": {"dev": {}}}, {}, {})
    assert str(caught.value) == ("name is not set. Set it under [tool.twofold] in pyproject.toml.")


def test_an_optional_setting_is_demanded_only_by_who_needs_it() -> None:
    assert settings()[BUCKET] is None
    with pytest.raises(SettingsError) as caught:
        settings().needed(BUCKET)
    assert str(caught.value) == (
        "bucket is not set. Pass --bucket or set it under [tool.twofold] in pyproject.toml."
    )
    assert settings(bucket="artifacts").needed(BUCKET) == "artifacts"


def test_an_empty_variable_unsets_an_optional_setting() -> None:
    assert settings({"region": "eu-central-1"}, {"TWOFOLD_REGION": ""})[REGION] is None


def test_a_command_without_the_topology_leaves_its_settings_alone() -> None:
    assert read({**TABLE, "min_size": 2}, {}, {}, others_allowed=True).name == "hello"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[tool.twofold", "pyproject.toml is not valid TOML: "),
        ("", "pyproject.toml has no table [tool.twofold]; add it with a name."),
        ("[tool]\ntwofold = 3", "pyproject.toml has no table [tool.twofold]; add it"),
        ("[tool.twofold]\nname = 'hi'", "Stage 'dev' is unknown; pyproject.toml has none."),
    ],
)
def test_a_broken_file_is_one_clear_error(tmp_path: Path, document: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(document)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, {}, {})
    assert str(caught.value).startswith(message)


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"pyproject\.toml is missing; run twofold in a"):
        load(tmp_path, {}, {})


@pytest.mark.parametrize("table", [{"stages": "dev"}, {"stages": {"dev": 3}}, {"stages": []}])
def test_stages_of_a_wrong_form_are_a_settings_error(table: dict[str, object]) -> None:
    assert problems(table) == [
        f"stages is {table['stages']!r} in pyproject.toml; "
        "expected tables such as [tool.twofold.stages.dev]."
    ]


def test_a_stage_cannot_be_another_stage() -> None:
    assert problems({"name": "hello", "stages": {"prod": {"stage": "dev"}}}) == [
        "[tool.twofold.stages.prod] in pyproject.toml sets stage, which its own name is already. "
        "Delete the line."
    ]


def test_the_projects_own_file_is_good(root: Path) -> None:
    assert load(root, {}, {}, others_allowed=True).name == "hello"


@pytest.mark.parametrize(
    ("parse", "raw", "value"),
    [
        (whole(1, 9), 3, 3),
        (whole(1, 9), "3", 3),
        (one_of(["a", "b"]), "b", "b"),
        (list_of(whole(1, 9)), "1, 2", (1, 2)),
        (list_of(whole(1, 9)), [1, 2], (1, 2)),
        (list_of(whole(1, 9)), "", ()),
        (cidr, "203.0.113.0/24", "203.0.113.0/24"),
        (optional(cidr), "", None),
    ],
)
def test_a_parser_takes_its_form(parse: object, raw: object, value: object) -> None:
    assert parse(raw) == value  # type: ignore[operator] # each row has its own type


@pytest.mark.parametrize(
    ("parse", "raw", "expected"),
    [
        (whole(1, 9), 0, "a whole number from 1 to 9"),
        (whole(1, 9), True, "a whole number from 1 to 9"),
        (whole(1, 9), "3.5", "a whole number from 1 to 9"),
        (whole(1, 9), None, "a whole number from 1 to 9"),
        (one_of(["a", "b"]), "c", "one of a, b"),
        (list_of(whole(1, 9)), 3, "a list"),
        (cidr, "203.0.113.1/24", "an IPv4 range such as 203.0.113.0/24"),
        (cidr, "203.0.113.1", "an IPv4 range such as 203.0.113.0/24"),
        (cidr, 7, "an IPv4 range such as 203.0.113.0/24"),
    ],
)
def test_a_parser_says_what_it_expected(parse: object, raw: object, expected: str) -> None:
    with pytest.raises(ValueError, match="^" + expected.replace(".", r"\.") + "$"):
        parse(raw)  # type: ignore[operator] # each row has its own type


def test_flag_and_variable_follow_from_the_name() -> None:
    setting = Setting("instance_type", text(".+", "text"), "", "")
    assert (setting.flag, setting.variable) == ("--instance-type", "TWOFOLD_INSTANCE_TYPE")


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_a_region_of_every_partition_is_one(region: str) -> None:
    assert settings({"region": region})[REGION] == region
