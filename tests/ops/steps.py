"""Kills install-release at a step of its own choice, and looks at what is left.

Bash reads the file that BASH_ENV names before it runs a script; its DEBUG trap there is run before
each command. A step is a command of the main shell that may change something: all but those that
only ask, compare and say. Its name is the line, the functions that led there and how often it came
by, such as "swap.sh:14 point swap_to install _main main#1".
"""

import io
import os
import signal
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ops.instances import BUCKET, PATIENCE, Instance, until

TRAP = r"""
unset BASH_ENV
declare -A CAME_BY=()
readonly WORDS='^(:|case|continue|exit|export|for|local|read|readonly|return|set|shift|source|trap|umask|unset)( |$)'
readonly ASKS='^[A-Za-z_]+=(.*[^)]$|\$\((answers|failure_reason|linked|newest|release_|sha256_of|times_|worker))'
readonly ASKING=' (all_serve|await_stop|serves_well|supervisord_runs|worker_pid|worker_serves) '
changes_nothing() {
  [[ $1 =~ $WORDS || $1 == '[['* || $1 == '(('* || $1 == printf*'1>&2' ]] ||
    [[ $1 =~ $ASKS && $1 != *--stay* ]] || [[ " ${FUNCNAME[*]} " =~ $ASKING ]] || declare -F "${1%% *}" >/dev/null
}
step() {
  ((BASH_SUBSHELL == 0)) && ! changes_nothing "$3" || return 0
  local place="$1:$2 ${FUNCNAME[*]:1}"
  CAME_BY[$place]=$((${CAME_BY[$place]:-0} + 1))
  place+="#${CAME_BY[$place]}"
  [[ -z ${STEPS:-} ]] || printf '%s\n' "$place" >>"$STEPS"
  [[ $'\n'${KILL_AT:-} != *$'\n'"$place"$'\n'* ]] || kill -KILL $$
}
set -o functrace
trap 'step "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND"' DEBUG
"""  # noqa: E501  # a regular expression is read in one piece


def steps_of(instance: Instance, *arguments: str, **variables: str) -> list[str]:
    """Runs install-release to its end; every step that it took."""
    file = instance.root / "steps"
    file.unlink(missing_ok=True)
    run(instance, *arguments, STEPS=str(file), **variables)
    return file.read_text().splitlines()


def killed_at(instance: Instance, step: str, *arguments: str, **variables: str) -> bool:
    """Whether the run came to the step; it was killed there and then."""
    names = "".join(f"{name}\n" for name in {step, resumed(step)})
    ran = run(instance, *arguments, KILL_AT=names, **variables)
    return ran == -signal.SIGKILL


def resumed(step: str) -> str:
    """The name of the step in a run that goes on where another one was killed.

    The first worker serves by then, so the second is the first to restart.
    """
    return (
        step.replace("#2", "#1")
        .replace("conclude install ", "conclude leave_when_current ")
        .replace("go_back swap_to install ", "finish_going_back leave_when_it_failed_before ")
    )


def run(instance: Instance, *arguments: str, **variables: str) -> int:
    trap = instance.root / "trap.sh"
    trap.write_text(TRAP)
    with started(instance, *arguments, BASH_ENV=str(trap), **variables) as running:
        return running.wait(5 * PATIENCE)


def started(instance: Instance, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """install-release on its way, the leader of a process group."""
    with (instance.root / "said").open("ab") as said:
        return subprocess.Popen(
            ["bash", instance.script(), *arguments],
            env=instance.environment | variables,
            cwd="/",
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def kill_alone(leader: subprocess.Popen[bytes]) -> None:
    """The process is gone, and what it started has not been asked."""
    leader.kill()
    leader.wait(PATIENCE)


def kill_group(leader: subprocess.Popen[bytes]) -> None:
    """The process and all that it started in its group are gone."""
    os.killpg(leader.pid, signal.SIGKILL)
    leader.wait(PATIENCE)


@contextmanager
def current_read(instance: Instance) -> Iterator[list[str]]:
    """What went wrong while a file of the current release was read all the time."""
    failures, done = [], threading.Event()

    def read() -> None:
        while not done.wait(0.005):
            try:
                (instance.home / "current/service/__main__.py").read_bytes()
            except OSError as error:
                failures.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield failures
    finally:
        done.set()
        reader.join(PATIENCE)


def damaged(instance: Instance) -> list[str]:
    """The releases with their final name that do not hold what their artifact holds."""
    folders = (instance.home / "releases").glob("[0-9a-f]*")
    return [folder.name for folder in folders if files_below(folder) != artifact(instance, folder)]


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def artifact(instance: Instance, folder: Path) -> dict[str, bytes]:
    stored = instance.cloud / BUCKET / f"hello/artifacts/{folder.name}.zip"
    with zipfile.ZipFile(io.BytesIO(stored.read_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def leftovers(instance: Instance) -> list[str]:
    """What a run has while it is at work, and nobody has after it."""
    home = instance.home
    found = [*home.glob("releases/.*"), *home.glob("*.next"), *home.glob("failed/.*")]
    return [path.name for path in (*found, *home.glob("downloads"))]


def running(folder: Path) -> list[str]:
    """The processes that run in a folder, workers and others."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(process.name)
        except OSError:  # it has ended, or belongs to somebody else
            continue
    return found


def only_workers_run(instance: Instance) -> bool:
    """Once every trial has ended; fails when one goes on."""
    releases = instance.home / "releases"

    def no_other() -> bool:
        workers = set(instance.workers()) if instance.supervisord else set()
        return set(running(releases)) <= workers

    return bool(until(no_other))
