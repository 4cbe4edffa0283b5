"""The settings of decorators become flags; two cannot have the same."""

from __future__ import annotations

import pytest

from deploy.errors import SettingsError
from deploy.setting import Setting, whole
from deploy.settings import STAGE
from deploy.template.declarations import declared_settings, declares, name_of
from deploy.topology import TOPOLOGY

SIZE = Setting("size", whole(1, 9), "How large.", 1, short="z")
OTHER_SIZE = Setting("size", whole(1, 9), "How large, differently.", 2)
ZOOM = Setting("zoom", whole(1, 9), "How near.", 1, short="z")


@declares(SIZE)
def one() -> None: ...


@declares(SIZE, STAGE)
def two() -> None: ...


@declares(OTHER_SIZE)
def three() -> None: ...


@declares(ZOOM)
def four() -> None: ...


def bare() -> None: ...


def test_a_shared_setting_is_declared_once_and_a_general_one_not_again() -> None:
    assert declared_settings((one, bare, two)) == (SIZE,)


@pytest.mark.parametrize(("second", "flag"), [(three, "--size"), (four, "-z")])
def test_two_settings_cannot_have_one_flag(second: type, flag: str) -> None:
    with pytest.raises(SettingsError) as refused:
        declared_settings((one, second))
    name = name_of(second)
    assert str(refused.value) == (
        f"Decorator {name!r} declares the flag {flag}, which 'one' already declares."
    )


def test_a_decorator_cannot_take_a_flag_of_twofold_itself() -> None:
    @declares(Setting("stack_size", whole(1, 9), "", 1, short="s"))
    def stack() -> None: ...

    with pytest.raises(SettingsError, match="the flag -s, which Twofold already declares"):
        declared_settings((stack,))


def test_the_flags_of_the_page_are_there() -> None:
    flags = {setting.flag: setting.short for setting in declared_settings(TOPOLOGY)}
    assert flags["--key"] == "k"
    assert {"--instance-type", "--min-size", "--max-size", "--image"} <= set(flags)
