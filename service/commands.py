"""The commands of `python -m service`. Add your own below.

A command is a function of its flags and the process's settings. Import what is slow
inside it, so that the others and `--help` stay quick. For example:

    def _count(text: str) -> int:
        if not text.isdigit():
            raise ValueError("a whole number")
        return int(text)

    def _one_way(options: Options) -> Iterator[str]:
        if options.older_than is not None and options.keep is not None:
            yield "--older-than and --keep exclude each other. Pass one."

    @commands.command(
        "purge",
        Flag(("--older-than", "-o"), "days that an order is kept", parse=_count),
        Flag(("--keep",), "how many of the latest orders are kept", parse=_count),
        Flag(("--table",), "where the orders are", required=True),
        summary="Delete old orders",
        validate=_one_way,
    )
    def purge(options: Options, settings: Settings) -> int | None:
        from service.orders import purge

        purge(options.table, options.older_than, options.keep)
"""

from dataclasses import replace

from service.runtime.command_line import Commands, Flag, Options
from service.settings import PORT, Settings, port

commands = Commands()


@commands.command(
    "http-server",
    Flag(("--host",), "address to listen on (default: SERVICE_HOST, else 127.0.0.1)"),
    Flag(("--port",), f"port to listen on (default: SERVICE_PORT, else {PORT})", parse=port),
    summary="Serve the routes of service/handler.py over HTTP until TERM or Ctrl-C",
)
def http_server(options: Options, settings: Settings) -> None:
    """Serves HTTP; a flag comes before its variable."""
    from service.http_server import serve

    asked = {"host": options.host, "port": options.port}
    serve(replace(settings, **{name: value for name, value in asked.items() if value is not None}))


@commands.command(
    "worker", summary="Work on the queues of SERVICE_WORKER_QUEUES until TERM or Ctrl-C"
)
def worker(_options: Options, settings: Settings) -> int:
    """Works on queues; the environment says which."""
    from service.worker import work

    return work(settings)
