"""What guests need of a machine, told in one message each."""

import pytest

from deploy.errors import LocalError
from deploy.local.guests.requirements import PROGRAMS, refuse_without


def everything(program: str) -> str:
    return f"/usr/bin/{program}"


def refused(**machine: object) -> str:
    given = {"system": "linux", "user": 0, "which": everything, **machine}
    with pytest.raises(LocalError) as caught:
        refuse_without(**given)  # type: ignore[arg-type]
    return str(caught.value)


def test_root_on_linux_with_all_programs_is_enough() -> None:
    refuse_without(system="linux", user=0, which=everything)


def test_another_system_is_refused() -> None:
    assert refused(system="darwin") == ("Guests are booted by systemd-nspawn, on Linux only.")


def test_an_ordinary_user_is_refused() -> None:
    assert refused(user=1000) == (
        "Guests need root, for namespaces and mounts of their own. Run the same command with sudo."
    )


def test_a_command_that_can_do_without_guests_says_so() -> None:
    assert refused(user=1000, instead="Leave --guests out.") == (
        "Guests need root, for namespaces and mounts of their own. "
        "Run the same command with sudo. Leave --guests out."
    )


def test_missing_programs_are_named_with_their_packages() -> None:
    missing = {"mmdebstrap", "unshare", "nsenter"}
    text = refused(which=lambda program: None if program in missing else everything(program))
    assert text.startswith("Guests need mmdebstrap, nsenter, unshare, not found on PATH. ")
    assert text.endswith("apt-get install mmdebstrap util-linux.")


def test_ci_installs_what_guests_need(root: object) -> None:
    script = (root / ".ci" / "run").read_text(encoding="utf-8")  # type: ignore[operator]
    # Every Debian has util-linux.
    assert [name for name in set(PROGRAMS.values()) - {"util-linux"} if name not in script] == []
