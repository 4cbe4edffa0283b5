"""What the service does. Yours to edit; both runtimes run it.

A route is a function from request to response, listed in `app`:

    async def order(request: Request) -> JSONResponse:
        return JSONResponse({"order": request.path_params["number"]})

    app = Starlette(routes=[..., Route("/orders/{number:int}", order, methods=["GET"])])

An event handler names the source of what it takes: one record at a time, or, with
`@events.on(...)`, the whole event as AWS delivers it. A record that raises fails alone. Work
that is longer than Lambda's 15 minutes says where it runs, and for how many seconds at most:

    @events.each("aws:sqs", queue="reports", runtime="instance", timeout=3600)
    async def report(record: dict[str, Any]) -> None:
        await write(json.loads(record["body"])["month"])

`app` may be any other ASGI application, such as FastAPI's, Django's or Litestar's.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from service.runtime.events import EventRouter
from service.settings import current

GREETING = "Hello world from Twofold!"


async def greet(_request: Request) -> PlainTextResponse:
    """GET /: the greeting, as plain text."""
    return PlainTextResponse(GREETING)


async def health(_request: Request) -> JSONResponse:
    """GET /healthz: which artifact answers, in which runtime, on which Python."""
    return JSONResponse({"status": "ok", **current().identity})


app = Starlette(routes=[Route("/", greet), Route("/healthz", health)])
events = EventRouter()


@events.invoke
async def invoke(_payload: object) -> str:
    """A direct invocation with any JSON value."""
    return GREETING
