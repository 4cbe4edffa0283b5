"""The routes in Django (ASGI). It has no lifespan and no background tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path

from service.runtime.events import EventRouter

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for tests",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    LOGGING_CONFIG=None,
)
events = EventRouter()
TEXT = "text/plain; charset=utf-8"


async def text(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Grüße", content_type=TEXT)


async def json(_request: HttpRequest) -> HttpResponse:
    return JsonResponse({"name": "Zürich", "list": [1, None]})


async def echo(request: HttpRequest) -> HttpResponse:
    if request.method not in ("POST", "PUT"):
        return HttpResponse(status=405)
    return HttpResponse(request.body, content_type=request.headers.get("content-type"))


async def query(request: HttpRequest) -> HttpResponse:
    return JsonResponse([[name, values] for name, values in request.GET.lists()], safe=False)


async def header(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.headers.get("x-name", "none"), content_type=TEXT)


async def cookies(request: HttpRequest) -> HttpResponse:
    response = JsonResponse(dict(sorted(request.COOKIES.items())))
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2")
    return response


async def redirect(_request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/text?a=%20")


async def stream(_request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"part %d\n" % number

    return StreamingHttpResponse(parts(), content_type=TEXT)


async def file(_request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(name, content_type=TEXT)


async def image(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"\x89PNG\r\n\x1a\n\xff", content_type="image/png")


async def gone(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


async def broken(_request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("by zero")


urlpatterns = [
    path("text", text),
    path("json", json),
    path("echo", echo),
    path("query", query),
    path("header", header),
    path("cookies", cookies),
    path("redirect", redirect),
    path("stream", stream),
    path("files/<name>", file),
    path("image", image),
    path("gone", gone),
    path("broken", broken),
]
app = get_asgi_application()
