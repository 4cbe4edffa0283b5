"""An ASGI application on a free port of loopback, for as long as a block runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from deploy.local.server import Background, listen, serving


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Its address, such as http://127.0.0.1:41234."""
    with Background() as background:
        listener = listen(0, "--port")
        block = serving(app, listener)
        background.run(block.__aenter__())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            background.run(block.__aexit__(None, None, None))
