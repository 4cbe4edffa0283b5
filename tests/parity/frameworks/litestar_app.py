"""The routes in Litestar."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from litestar import Litestar, MediaType, Request, Response, delete, get, route
from litestar.background_tasks import BackgroundTask
from litestar.response import Redirect, Stream

from service.runtime.events import EventRouter

events = EventRouter()
begun: list[str] = []
done: list[str] = []


@get("/text", media_type=MediaType.TEXT)
async def text() -> str:
    return "Grüße"


@get("/json")
async def json() -> dict[str, object]:
    return {"name": "Zürich", "list": [1, None]}


@route("/echo", http_method=["POST", "PUT"], status_code=200)
async def echo(request: Request[Any, Any, Any]) -> Response[bytes]:
    kind = request.headers.get("content-type", "application/octet-stream")
    return Response(await request.body(), media_type=kind)


@get("/query")
async def query(request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items()]


@get("/header", media_type=MediaType.TEXT)
async def header(request: Request[Any, Any, Any]) -> str:
    return request.headers.get("x-name", "none")


@get("/cookies")
async def cookies(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    response = Response(dict(sorted(request.cookies.items())))
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", max_age=60)
    return response


@get("/redirect")
async def redirect() -> Redirect:
    return Redirect("/text?a=%20")


@get("/stream")
async def stream() -> Stream:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"part %d\n" % number

    return Stream(parts(), media_type=MediaType.TEXT)


@get("/files/{name:str}", media_type=MediaType.TEXT)
async def file(name: str) -> str:
    return name


@get("/image", media_type="image/png")
async def image() -> bytes:
    return b"\x89PNG\r\n\x1a\n\xff"


@delete("/gone")
async def gone() -> None:
    return None


@get("/broken")
async def broken() -> None:
    raise ZeroDivisionError("by zero")


async def _finish() -> None:
    done.append("done")


@get("/later", media_type=MediaType.TEXT)
async def later() -> Response[str]:
    left = len(begun) - len(done)
    begun.append("begun")
    return Response(f"{left} left", background=BackgroundTask(_finish))


app = Litestar(
    [text, json, echo, query, header, cookies, redirect, stream, file, image, gone, broken, later],
    openapi_config=None,
)
