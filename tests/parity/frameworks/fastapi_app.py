"""The routes in FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import BackgroundTasks, FastAPI, Header, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse, StreamingResponse

from service.runtime.events import EventRouter

events = EventRouter()
app = FastAPI()
begun: list[str] = []
done: list[str] = []


@app.get("/text", response_class=PlainTextResponse)
async def text() -> str:
    return "Grüße"


@app.get("/json")
async def json() -> dict[str, object]:
    return {"name": "Zürich", "list": [1, None]}


@app.post("/echo")
@app.put("/echo")
async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type=request.headers.get("content-type"))


@app.get("/query")
async def query(request: Request) -> list[tuple[str, str]]:
    return request.query_params.multi_items()


@app.get("/header", response_class=PlainTextResponse)
async def header(x_name: Annotated[str, Header()] = "none") -> str:
    return x_name


@app.get("/cookies")
async def cookies(request: Request, response: Response) -> dict[str, str]:
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", max_age=60)
    return dict(sorted(request.cookies.items()))


@app.get("/redirect")
async def redirect() -> RedirectResponse:
    return RedirectResponse("/text?a=%20", 302)


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"part %d\n" % number

    return StreamingResponse(parts(), media_type="text/plain")


@app.get("/files/{name}", response_class=PlainTextResponse)
async def file(name: str) -> str:
    return name


@app.get("/image")
async def image() -> Response:
    return Response(b"\x89PNG\r\n\x1a\n\xff", media_type="image/png")


@app.delete("/gone", status_code=204)
async def gone() -> None:
    return None


@app.get("/broken")
async def broken() -> None:
    raise ZeroDivisionError("by zero")


@app.get("/later", response_class=PlainTextResponse)
async def later(tasks: BackgroundTasks) -> str:
    left = len(begun) - len(done)
    begun.append("begun")
    tasks.add_task(done.append, "done")
    return f"{left} left"
