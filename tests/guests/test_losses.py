"""What an instance loses it gets back by itself: a process, all of them, a reboot."""

from __future__ import annotations

import time

from tests.guests.clouds import GuestOf, lost, until
from tests.guests.conftest import Figure
from tests.guests.hup import poll
from tests.guests.releases import CLIENTS, asked_and_lost, light

# Kills, waits until two other workers answer with the digest, each itself; says how long it took.
# After a minute something is wrong, and what the workers and supervisord say is shown.
KILL_AND_AWAIT = r"""
set -eu
digest=$1 gone=$2
shift 2
workers() { pgrep -u twofold -f -- '-m service http-server'; }
answers() {
  python3 -I /opt/hello/current/ops/instance/await_health.py --host 127.0.0.1 --port 9999 \
    --digest "$digest" --pid "$1" --seconds 2 >/dev/null
}
back() {
  local pid found
  found=$(workers) && (($(wc -w <<<"$found") == 2)) || return 1
  for pid in "$@"; do ! grep -qx "$pid" <<<"$found" || return 1; done
  for pid in $found; do answers "$pid" || return 1; done
}
start=${EPOCHREALTIME/./}
kill -9 $gone
until back "$@"; do
  if ((${EPOCHREALTIME/./} - start > 60 * 1000000)); then
    set +e
    /opt/hello/current/ops/instance/supervisorctl.sh status
    pgrep -u twofold -a
    journalctl --no-pager -n 30 -u supervisor
    tail -n 30 /var/log/hello/supervisord.log
    grep -hv '"logger":"service.request"' /var/log/hello/service_*.log | tail -n 30
    exit 1
  fi
  sleep 0.05
done
echo $((${EPOCHREALTIME/./} - start))
"""
MAIN = "systemctl show --property=MainPID --value"


def test_a_killed_worker_is_started_again(guest: GuestOf, figure: Figure) -> None:
    first = guest.workers()["service:service_0"]
    with light(guest) as found:
        seconds = _killed(guest, [first], new=[first])
    # The other worker took everything but what was in flight: one request of a client at most.
    assert sum(kind["lost"] for kind in found["kinds"].values()) <= sum(CLIENTS.values()), found
    figure("kill -9 of one worker", f"back after {seconds:.1f} s, {asked_and_lost(found)}")


def test_all_workers_killed_are_started_again(guest: GuestOf, figure: Figure) -> None:
    both = list(guest.workers().values())
    with light(guest) as found:
        seconds = _killed(guest, both, new=both)
    figure("kill -9 of all workers", f"back after {seconds:.1f} s, {asked_and_lost(found)}")


def test_a_killed_supervisord_is_started_again(guest: GuestOf, figure: Figure) -> None:
    main, before = guest.shell(f"{MAIN} supervisor").strip(), list(guest.workers().values())
    with light(guest) as found:
        seconds = _killed(guest, [int(main)], new=before)
    assert guest.shell(f"{MAIN} supervisor").strip() not in ("0", main)
    assert len(guest.workers()) == 2
    figure("kill -9 of supervisord", f"back after {seconds:.1f} s, {asked_and_lost(found)}")


def test_a_killed_cfn_hup_is_started_again(guest: GuestOf, figure: Figure) -> None:
    main = guest.shell(f"{MAIN} cfn-hup").strip()
    with light(guest) as found:
        said = guest.shell(
            f"""
            start=$EPOCHSECONDS looks=$(grep -c 'Describing resource' /var/log/cfn-hup.log)
            kill -9 {main}
            until (($(grep -c 'Describing resource' /var/log/cfn-hup.log) > looks)); do
              sleep 0.2
            done
            echo $((EPOCHSECONDS - start))
            """
        )
    assert lost(found) == {}, found
    assert guest.shell(f"{MAIN} cfn-hup").strip() not in ("0", main)
    assert "No change in path" in poll(guest)
    figure("kill -9 of cfn-hup", f"looks again after {said.strip()} s, {asked_and_lost(found)}")


def test_a_reboot_brings_the_same_release_back_without_a_download(
    guest: GuestOf, figure: Figure
) -> None:
    playing, before = guest.playing, _kept(guest)
    release, leader, s3 = playing.status()["release"], guest.leader, playing.aws("s3")
    place = {"Bucket": release["bucket"], "Key": release["key"]}
    artifact = s3.get_object(**place)["Body"].read()
    s3.delete_object(**place)
    try:
        start = time.monotonic()
        guest.shell("systemctl reboot", check=False)
        until(lambda: _is_another(guest, leader), what="it has begun to boot again")
        until(lambda: guest.digest() == release["sha256"], what="the same release serves")
        seconds = time.monotonic() - start
        assert guest.status("cloud-init status --wait") == 0
        assert guest.shell("systemctl is-system-running --wait", check=False).strip() == "running"
        assert "exited with" not in poll(guest)
    finally:
        s3.put_object(**place, Body=artifact)
    assert _kept(guest) == before
    assert len(guest.workers()) == 2
    figure("reboot", f"answers again after {seconds:.0f} s")


def _killed(guest: GuestOf, gone: list[int], new: list[int]) -> float:
    """Seconds until two workers answer that are none of `new`."""
    digest = guest.link("current")
    arguments = f"{digest} '{' '.join(map(str, gone))}' {' '.join(map(str, new))}"
    return int(guest.shell(f"set -- {arguments}\n{KILL_AND_AWAIT}")) / 1e6


def _is_another(guest: GuestOf, leader: int) -> bool:
    try:
        return guest.leader != leader
    except LookupError:
        return False


def _kept(guest: GuestOf) -> str:
    """What a second bootstrap or a second download would have changed."""
    return guest.shell(
        "stat -c '%n %i %y' /opt/hello/current/. /opt/hello/good/. /var/log/hello-bootstrap.log; "
        "ls /opt/hello/releases; cat /etc/hello/instance.env"
    )
