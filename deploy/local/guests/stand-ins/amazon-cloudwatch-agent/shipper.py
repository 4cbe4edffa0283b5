#!/usr/bin/python3 -I
"""Follows log files and sends their lines to CloudWatch Logs.

  amazon-cloudwatch-agent --config FILE                  is FILE a configuration?
  amazon-cloudwatch-agent --config FILE --state FOLDER   follows it until SIGTERM

In a guest this is what Amazon's CloudWatch agent is on an instance, for the part of its
configuration that Twofold uses (Amazon CloudWatch User Guide, "Manually create or edit the
CloudWatch agent configuration file", section logs). As there, a file_path with wildcards
means the newest file that fits. A line that was being sent while the power went is sent
again; none is left out.
"""

from __future__ import annotations

import argparse
import configparser
import glob
import http.client
import json
import os
import pwd
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

TURN_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# Amazon CloudWatch Logs API Reference, PutLogEvents: bytes a request and an event, with 26
# for each event; events a request.
REQUEST_BYTES = 1_048_576
EVENT_BYTES = 262_144
EVENT_OVERHEAD = 26
REQUEST_EVENTS = 10_000
READ_BYTES = 524_288
COMPRESSED = (".tar", ".zst", ".gz", ".zip", ".bz2", ".rar")
IMDS = "169.254.169.254"
KNOWN = frozenset({"file_path", "log_group_name", "log_stream_name"})


class ConfigurationError(Exception):
    """The configuration asks for what this stand-in cannot do."""


@dataclass(frozen=True)
class Source:
    """Where lines come from and go to."""

    pattern: str
    group: str
    stream: str

    def newest(self) -> Path | None:
        """The file of the pattern that was written last."""
        names = glob.glob(self.pattern)  # noqa: PTH207  an absolute pattern, which Path.glob refuses
        files = filter(Path.is_file, (Path(n) for n in names if not n.endswith(COMPRESSED)))
        return max(files, key=lambda path: path.stat().st_mtime, default=None)


@dataclass(frozen=True)
class Configuration:
    """What the configuration file says; `region` and `user` may be empty."""

    region: str
    user: str
    sources: tuple[Source, ...]


def read_configuration(path: Path) -> Configuration:
    """The file's content.

    Raises:
        ConfigurationError: it is no such file, or names what is not done here.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        agent = said.get("agent", {})
        entries = said["logs"]["logs_collected"]["files"]["collect_list"]
        sources = tuple(_source(entry) for entry in entries)
        return Configuration(agent.get("region", ""), agent.get("run_as_user", ""), sources)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path} is no configuration of the agent: {error!r}.") from None


def _source(entry: dict[str, str]) -> Source:
    if unknown := sorted(entry.keys() - KNOWN):
        raise ConfigurationError(
            f"{', '.join(unknown)} in collect_list is not done by this stand-in of the agent; "
            f"it knows {', '.join(sorted(KNOWN))}."
        )
    stream = entry["log_stream_name"]
    if "{instance_id}" in stream:
        stream = stream.replace("{instance_id}", metadata("meta-data/instance-id"))
    if "{" in stream:
        raise ConfigurationError(
            f"log_stream_name is {stream!r}; only {{instance_id}} is filled in."
        )
    return Source(entry["file_path"], entry["log_group_name"], stream)


def metadata(path: str) -> str:
    """What the instance's metadata say at this path, asked with a token (IMDSv2).

    Raises:
        ConfigurationError: they do not say it.
    """
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    try:
        _, token = _exchange(IMDS, "PUT", "/latest/api/token", ttl)
        named = {"X-aws-ec2-metadata-token": token.decode()}
        status, content = _exchange(IMDS, "GET", f"/latest/{path}", named)
    except OSError as error:
        raise ConfigurationError(f"The metadata service at {IMDS} is silent: {error}.") from None
    if status != http.HTTPStatus.OK:
        raise ConfigurationError(f"The metadata service answers {status} for {path}.")
    return content.decode()


def endpoint_url() -> str:
    """Where the guest's AWS is: the endpoint_url of root's AWS configuration.

    Raises:
        ConfigurationError: it is not named there.
    """
    path = Path(os.environ.get("AWS_CONFIG_FILE", "~root/.aws/config")).expanduser()
    configuration = configparser.RawConfigParser()
    configuration.read(path)
    try:
        return configuration["default"]["endpoint_url"]
    except KeyError as error:
        raise ConfigurationError(f"{path} names no endpoint_url: {error} is missing.") from None


class RefusedError(Exception):
    """CloudWatch Logs did not take a request; `kind` is its name for the reason."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


@dataclass(frozen=True)
class Logs:
    """CloudWatch Logs, spoken to directly: one start of the AWS CLI costs a second of CPU.

    Nothing is signed, since the embedded AWS looks at no signature. It reads service and
    region out of the credential's scope, so there is one.
    """

    endpoint: str
    region: str

    def put(self, source: Source, messages: list[str]) -> None:
        """The messages are in the stream, which is made if it is not there.

        Raises:
            RefusedError, OSError: they are not.
        """
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": message} for message in messages]
        try:
            self._call("PutLogEvents", source, logEvents=events)
        except RefusedError as refused:
            if refused.kind != "ResourceNotFoundException":
                raise
            self._call("CreateLogStream", source)
            self._call("PutLogEvents", source, logEvents=events)

    def _call(self, action: str, source: Source, **more: object) -> None:
        scope = f"{datetime.now(UTC):%Y%m%d}/{self.region}/logs/aws4_request"
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Logs_20140328.{action}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=stand-in/{scope}, "
            "SignedHeaders=host, Signature=none",
        }
        named = {"logGroupName": source.group, "logStreamName": source.stream}
        body = json.dumps({**named, **more}).encode()
        status, content = _exchange(urlsplit(self.endpoint).netloc, "POST", "/", headers, body)
        if status != http.HTTPStatus.OK:
            raise _refused(status, content)


def _refused(status: int, content: bytes) -> RefusedError:
    try:
        said: dict[str, str] = json.loads(content)
        return RefusedError(said["__type"].rsplit("#")[-1], said.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return RefusedError(f"HTTP {status}", content[:200].decode(errors="replace"))


def _exchange(
    host: str, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, bytes]:
    """Status and content of the answer. No proxy is asked: the guest's AWS is beside it.

    Raises:
        OSError: there is no answer.
    """
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"{host} gave no whole answer: {error!r}") from None
    finally:
        connection.close()


def batch(content: bytes, *, whole: bool) -> tuple[list[str], int]:
    """The messages that one request takes, and how many bytes of `content` they are.

    A line without its end is left for later, unless the content is `whole` or too long for
    one event; an empty line is no event.
    """
    messages: list[str] = []
    taken = used = 0
    for line in _lines(content, whole=whole):
        message = line.rstrip(b"\r\n").decode(errors="replace")
        size = len(message.encode()) + EVENT_OVERHEAD
        if used + size > REQUEST_BYTES or len(messages) == REQUEST_EVENTS:
            break
        taken += len(line)
        if message:
            messages.append(message)
            used += size
    return messages, taken


def _lines(content: bytes, *, whole: bool) -> Iterator[bytes]:
    # Undecodable bytes become three each, and still fit.
    longest = (EVENT_BYTES - EVENT_OVERHEAD) // 3
    begin = 0
    while begin < len(content):
        end = content.find(b"\n", begin, begin + longest) + 1
        if not end:
            end = begin + longest
            if end > len(content) and not whole:
                return
        yield content[begin:end]
        begin = end


class Followed:
    """One file, read to its end and on; what it is called may change meanwhile."""

    def __init__(self, source: Source, path: Path, state: State) -> None:
        self.source = source
        self._path = path
        self._name = f"{source.stream} {path}"
        self._state = state
        self._file: BinaryIO | None = None
        self._offset = 0

    def turn(self, logs: Logs) -> bool:
        """What is new was sent, as much as one request takes; whether there may be more.

        Raises:
            RefusedError, OSError: it was not, and the next turn tries again.
        """
        self._file = self._file or self._opened()
        if self._file is None:
            return False
        now = os.fstat(self._file.fileno())
        is_gone = _inode(self._path) != now.st_ino
        if now.st_size < self._offset:
            self._offset = 0
        self._file.seek(self._offset)
        content = self._file.read(READ_BYTES)
        messages, taken = batch(content, whole=is_gone and len(content) < READ_BYTES)
        if messages:
            logs.put(self.source, messages)
        if taken:
            self._offset += taken
            self._state.write(self._name, now.st_ino, self._offset)
        elif is_gone:
            self._close()
        return bool(taken or is_gone)

    def _opened(self) -> BinaryIO | None:
        """The file that was followed when this program ended, whatever its name is now."""
        inode, offset = self._state.read(self._name)
        for path in (self._path, *self._path.parent.glob(f"{self._path.name}.*")):
            if _inode(path) == inode:
                self._offset = offset
                return path.open("rb")
        self._offset = 0
        return self._path.open("rb") if self._path.exists() else None

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
        self._state.write(self._name, 0, 0)  # its inode may become another file's


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


class State:
    """How far each file was sent; it outlives this program."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offsets.json"
        self._known: dict[str, tuple[int, int]] = {}
        if self._file.exists():
            self._known = json.loads(self._file.read_text(encoding="utf-8"))

    def read(self, name: str) -> tuple[int, int]:
        """Inode and offset; zeros for a file not seen yet."""
        return self._known.get(name, (0, 0))

    def write(self, name: str, inode: int, offset: int) -> None:
        """Known from now on, whatever happens to this program."""
        self._known[name] = (inode, offset)
        partial = self._file.with_suffix(".next")
        partial.write_text(json.dumps(self._known), encoding="utf-8")
        partial.replace(self._file)


class Delivery:
    """A followed file and when it is looked at next: later and later while it cannot be sent."""

    def __init__(self, followed: Followed) -> None:
        self._followed = followed
        self._pause = TURN_SECONDS
        self._not_before = 0.0

    def turn(self, logs: Logs) -> None:
        """What is new was sent, or the reason why not was said."""
        if time.monotonic() < self._not_before:
            return
        try:
            while self._followed.turn(logs):
                pass
            self._pause = TURN_SECONDS
        except (OSError, RefusedError) as error:
            source = self._followed.source
            sys.stderr.write(f"{source.pattern} does not reach {source.stream}: {error}\n")
            self._not_before = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)


def ship(configuration: Configuration, logs: Logs, state: State, stopping: threading.Event) -> None:
    """Ships until it is asked to stop, and then what is there by that time."""
    deliveries: dict[tuple[Source, Path], Delivery] = {}
    is_last = False
    while not is_last:
        is_last = stopping.wait(TURN_SECONDS)
        for source in configuration.sources:
            path = source.newest()
            if path is not None and (source, path) not in deliveries:
                deliveries[source, path] = Delivery(Followed(source, path, state))
        for delivery in deliveries.values():
            delivery.turn(logs)


def become(user: str, folder: Path) -> None:
    """This process is that user's, and so is the folder; as anybody but root it stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if not user or os.getuid() != 0:
        return
    entry = pwd.getpwnam(user)
    for path in (folder, *folder.iterdir()):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def main() -> None:
    """Runs until SIGTERM."""
    parser = argparse.ArgumentParser(prog="amazon-cloudwatch-agent")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--state", type=Path, help="without it, FILE is only checked")
    options = parser.parse_args()
    try:
        configuration = read_configuration(options.config)
        region = configuration.region or metadata("meta-data/placement/region")
        logs = Logs(endpoint_url(), region)
    except ConfigurationError as error:
        sys.exit(f"amazon-cloudwatch-agent: error: {error}")
    if options.state is None:
        return
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    become(configuration.user, options.state)
    ship(configuration, logs, State(options.state), stopping)


if __name__ == "__main__":
    main()
