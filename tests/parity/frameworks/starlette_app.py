"""The routes in Starlette."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from service.runtime.events import EventRouter

events = EventRouter()
begun: list[str] = []
done: list[str] = []


async def text(_request: Request) -> Response:
    return PlainTextResponse("Grüße")


async def json(_request: Request) -> Response:
    return JSONResponse({"name": "Zürich", "list": [1, None]})


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type=request.headers.get("content-type"))


async def query(request: Request) -> Response:
    return JSONResponse(request.query_params.multi_items())


async def header(request: Request) -> Response:
    return PlainTextResponse(request.headers.get("x-name", "none"))


async def cookies(request: Request) -> Response:
    response = JSONResponse(dict(sorted(request.cookies.items())))
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", max_age=60)
    return response


async def redirect(_request: Request) -> Response:
    return RedirectResponse("/text?a=%20", 302)


async def stream(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"part %d\n" % number

    return StreamingResponse(parts(), media_type="text/plain")


async def file(request: Request) -> Response:
    return PlainTextResponse(request.path_params["name"])


async def image(_request: Request) -> Response:
    return Response(b"\x89PNG\r\n\x1a\n\xff", media_type="image/png")


async def gone(_request: Request) -> Response:
    return Response(status_code=204)


async def broken(_request: Request) -> Response:
    raise ZeroDivisionError("by zero")


async def later(_request: Request) -> Response:
    left = len(begun) - len(done)
    begun.append("begun")
    return PlainTextResponse(f"{left} left", background=BackgroundTask(done.append, "done"))


app = Starlette(
    routes=[
        Route("/text", text),
        Route("/json", json),
        Route("/echo", echo, methods=["POST", "PUT"]),
        Route("/query", query),
        Route("/header", header),
        Route("/cookies", cookies),
        Route("/redirect", redirect),
        Route("/stream", stream),
        Route("/files/{name}", file),
        Route("/image", image),
        Route("/gone", gone, methods=["DELETE"]),
        Route("/broken", broken),
        Route("/later", later),
    ]
)
