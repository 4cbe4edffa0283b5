"""An AWS that gives one scripted answer, over real HTTP on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

QUERY_ERROR = (
    "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
)


@contextmanager
def answering(status: int, body: str = "", missing: int = 0) -> Iterator[str]:
    """The endpoint of an AWS that answers every request with this, so many bytes short."""

    class Scripted(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) + missing))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = _answer  # noqa: N815  the parent's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the parent's name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refusing(code: str, message: str = "because") -> str:
    """The body of an error of the services that speak XML."""
    return QUERY_ERROR.format(code=code, message=message)
