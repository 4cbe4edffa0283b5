"""tests.robustness.replay: sample events are sorted by what takes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.robustness.replay import main
from tests.service import events as made


def put(folder: Path, **samples: object) -> None:
    for name, sample in samples.items():
        (folder / f"{name}.json").write_text(json.dumps(sample))


def test_samples_are_counted_by_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, a=made.s3("x"), b=made.s3("y"), c=made.function_url(), d={"any": 1}, e=[1])
    (tmp_path / "template.json").write_text('{"Ref": {{{name}}}}')
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "    1 taken      0 refused  HTTP",
        "    2 taken      0 refused  aws:s3",
        "    1 taken      0 refused  direct invoke",
    ]


def test_a_sample_that_is_refused_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, broken=made.function_url() | {"headers": 7})
    assert main([str(tmp_path)]) == 1
    counts, refused = capsys.readouterr().out.splitlines()
    assert counts == "    0 taken      1 refused  HTTP"
    assert refused.startswith(f"refused: {tmp_path}/broken.json (HTTP): MalformedEventError: ")


def test_each_sample_is_listed_with_its_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, one=made.s3())
    assert main([str(tmp_path), "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"aws:s3: {tmp_path}/one.json"


def test_nothing_to_replay_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, no_object=[1])
    for folder, said in (
        (tmp_path, "no JSON object is in any *.json of the folders"),
        (tmp_path / "gone", f"{tmp_path}/gone is no folder"),
    ):
        with pytest.raises(SystemExit) as caught:
            main([str(folder)])
        assert caught.value.code == 2
        assert capsys.readouterr().err.endswith(f"error: {said}\n")
