"""python -m tests.benchmarks.served WAY: the app of service.handler, served one way.

    bare            uvicorn with uvloop and httptools, no log
    access-log      the same, with uvicorn's own access log
    without-log     our server, without our request log

The socket is descriptor 0. Our server with its log is `python -m service http-server`.
"""

from __future__ import annotations

import sys

import uvicorn

from service.handler import app
from service.http_server import server
from service.runtime.listener import listener
from service.settings import Settings


def serve(way: str) -> None:
    settings = Settings()
    if way == "without-log":
        made: uvicorn.Server = server(app, settings)
    else:
        config = uvicorn.Config(
            app, loop="uvloop", http="httptools", access_log=way == "access-log", workers=1
        )
        made = uvicorn.Server(config)
    made.run(sockets=[listener(settings)])


if __name__ == "__main__":
    serve(sys.argv[1])
