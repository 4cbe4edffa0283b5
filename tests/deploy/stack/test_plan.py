"""deploy.stack.plan: the artifact, its place, and the template that names it."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from deploy.artifact import Artifact, ReleasePointer
from deploy.errors import SettingsError
from deploy.settings import Settings, read
from deploy.stack.plan import BUILD_ID, INLINE_LIMIT, SIZE_LIMIT, Plan, plan

SETTINGS: Settings = read({"name": "hello", "stages": {"dev": {}}}, {}, {})
ARTIFACT = Artifact(Path("a.zip"), "hello", "ab" * 32, size=1, unpacked_size=2)


def planned(template: str = "{}", build_id: str = "") -> Plan:
    return plan(SETTINGS, ARTIFACT, "artifacts", lambda _: template, build_id)


def test_the_pointer_names_the_artifact_by_its_digest() -> None:
    assert planned(build_id="1.2").pointer == ReleasePointer(
        "artifacts", f"hello/artifacts/{'ab' * 32}.zip", "ab" * 32, "1.2"
    )


def test_without_a_build_id_the_same_artifact_makes_the_same_plan() -> None:
    assert planned().pointer.build_id == "ab" * 6
    assert planned() == planned()


@pytest.mark.parametrize("build_id", ["two words", "a\tb", "a;b", "-\n"])
def test_a_build_id_that_an_instance_would_refuse_is_refused_here(build_id: str) -> None:
    with pytest.raises(SettingsError) as caught:
        planned(build_id=build_id)
    assert str(caught.value) == (
        f"--build-id is {build_id!r}; expected letters, digits and any of _ . : + -"
    )


def test_an_instance_takes_the_build_ids_that_are_taken_here(root: Path) -> None:
    pointer = runpy.run_path(str(root / "ops" / "instance" / "pointer.py"))
    assert pointer["PATTERNS"]["BuildId"] == BUILD_ID.pattern


def test_a_template_that_fits_goes_with_the_request_and_a_longer_one_through_the_bucket() -> None:
    assert planned('{"a": 1}').fits_inline
    long = planned('{"a": "' + "x" * INLINE_LIMIT + '"}')
    assert not long.fits_inline
    assert long.template_key == f"hello/templates/{long.template_sha256}.json"


def test_a_template_that_cloudformation_would_refuse_is_refused_here() -> None:
    with pytest.raises(SettingsError, match=r"The template is 1,000,008 bytes; CloudFormation ta"):
        planned('{"a": "' + "x" * SIZE_LIMIT + '"}')
