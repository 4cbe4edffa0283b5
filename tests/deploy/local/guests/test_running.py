"""Which guest is meant."""

from pathlib import Path

import pytest

from deploy.errors import LocalError
from deploy.local.guests.running import RunningGuest, chosen, running

ONE = RunningGuest("i-0123", 1, Path("/one"))
TWO = RunningGuest("i-0456", 2, Path("/two"))


def test_the_only_guest_needs_no_name() -> None:
    assert chosen((ONE,), "") == ONE


def test_the_beginning_of_an_id_names_a_guest() -> None:
    assert chosen((ONE, TWO), "i-04") == TWO


@pytest.mark.parametrize(
    ("guests", "instance", "text"),
    [
        ((), "", "No guest is up in this project. Start one in another terminal: "),
        ((ONE, TWO), "i-9", "No guest 'i-9' is up. These are: i-0123, i-0456."),
        ((ONE, TWO), "", "2 guests could be meant; name one of them: i-0123, i-0456."),
    ],
)
def test_a_guest_that_cannot_be_told_is_an_error(
    guests: tuple[RunningGuest, ...], instance: str, text: str
) -> None:
    with pytest.raises(LocalError) as caught:
        chosen(guests, instance)
    assert str(caught.value).startswith(text)


def test_a_folder_without_a_running_guest_is_passed_over(tmp_path: Path) -> None:
    for name, pid in (("i-gone", "4194304"), ("i-broken", "not a number")):
        folder = tmp_path / "guests" / name
        folder.mkdir(parents=True)
        (folder / "pid").write_text(pid)
    (tmp_path / "guests" / "i-starting").mkdir()
    (tmp_path / "guests" / "i-removed").symlink_to("nowhere")
    assert running(tmp_path) == ()
