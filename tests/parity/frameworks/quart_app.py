"""The routes in Quart."""

from __future__ import annotations

from collections.abc import AsyncIterator

from quart import Quart, Response, jsonify, redirect, request
from quart.typing import ResponseReturnValue

from service.runtime.events import EventRouter

events = EventRouter()
app = Quart(__name__)
TEXT = "text/plain; charset=utf-8"


@app.get("/text")
async def text() -> Response:
    return Response("Grüße", content_type=TEXT)


@app.get("/json")
async def json() -> Response:
    return jsonify({"name": "Zürich", "list": [1, None]})


@app.route("/echo", methods=["POST", "PUT"])
async def echo() -> Response:
    return Response(await request.get_data(), content_type=request.headers.get("content-type"))


@app.get("/query")
async def query() -> Response:
    return jsonify(list(request.args.items(multi=True)))


@app.get("/header")
async def header() -> Response:
    return Response(request.headers.get("x-name", "none"), content_type=TEXT)


@app.get("/cookies")
async def cookies() -> Response:
    response = jsonify(dict(sorted(request.cookies.items())))
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2")
    return response


@app.get("/redirect")
async def away() -> ResponseReturnValue:
    return redirect("/text?a=%20")


@app.get("/stream")
async def stream() -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"part %d\n" % number

    return Response(parts(), content_type=TEXT)


@app.get("/files/<name>")
async def file(name: str) -> Response:
    return Response(name, content_type=TEXT)


@app.get("/image")
async def image() -> Response:
    return Response(b"\x89PNG\r\n\x1a\n\xff", content_type="image/png")


@app.delete("/gone")
async def gone() -> Response:
    return Response(status=204)


@app.get("/broken")
async def broken() -> Response:
    raise ZeroDivisionError("by zero")
