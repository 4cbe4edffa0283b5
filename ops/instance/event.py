"""Turns how a run of install-release ended into one log event, as PutLogEvents takes it.

Reads the parts that FIELDS names from standard input, each ended by a zero byte, and writes the
JSON to standard output.
"""

import json
import sys
import time

FIELDS = ("level", "message", "release", "build", "kept", "instance", "log")
LOG_BYTES = 8192
MESSAGE_CHARACTERS = 1000


def event(parts: list[str], milliseconds: int) -> dict[str, object]:
    """One line of JSON with its time; of the log only the end, of the message the beginning."""
    said = dict(zip(FIELDS, parts, strict=True))
    line = {
        "level": said.pop("level"),
        "logger": "install-release",
        "message": said.pop("message")[:MESSAGE_CHARACTERS],
        **said,
        "log": said["log"].encode()[-LOG_BYTES:].decode("utf-8", "ignore"),
    }
    return {"timestamp": milliseconds, "message": json.dumps(line)}


if __name__ == "__main__":
    given = sys.stdin.buffer.read().decode("utf-8", "replace").split("\0")[:-1]
    json.dump([event(given, int(time.time() * 1000))], sys.stdout)
