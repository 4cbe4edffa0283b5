"""What the releases are compared with: the same service as one plain supervisord program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.guests.clouds import GuestOf

PORT = 9998
_FOLDER = "/run/plain"
_CONFIGURATION = f"""
[supervisord]
nodaemon=true
logfile={_FOLDER}/supervisord.log
pidfile={_FOLDER}/supervisord.pid
[unix_http_server]
file={_FOLDER}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{_FOLDER}/supervisor.sock
[program:uvicorn]
command=%(ENV_SERVICE_PYTHON)s -S -m uvicorn service.handler:app --host 127.0.0.1 --port {PORT}
directory=/opt/hello/current
redirect_stderr=true
stdout_logfile={_FOLDER}/uvicorn.log
"""
_START = f"""
install -d -o twofold {_FOLDER}
cat >{_FOLDER}/supervisord.conf <<'END'{_CONFIGURATION}END
systemd-run --quiet --unit=plain --uid=twofold --property=EnvironmentFile=/etc/hello/instance.env \\
  /usr/bin/supervisord --nodaemon --configuration {_FOLDER}/supervisord.conf
"""
_ANSWERS = f"""
for _ in {{1..1200}}; do
  if curl --silent --fail --output /dev/null http://127.0.0.1:{PORT}/; then exit 0; fi
  sleep 0.1
done
tail -n 20 {_FOLDER}/*.log >&2
exit 1
"""
_RESTART = f"supervisorctl --configuration {_FOLDER}/supervisord.conf restart uvicorn"


@contextmanager
def plain(guest: GuestOf) -> Iterator[Callable[[], object]]:
    """While the block runs, uvicorn serves on a port of its own; gives what restarts it."""
    guest.shell(_START + _ANSWERS)
    try:
        yield lambda: guest.shell(_RESTART + _ANSWERS)
    finally:
        guest.shell("systemctl stop plain", check=False)
