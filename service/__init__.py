"""What runs, in both runtimes, from one artifact.

    handler.py            the routes and event handlers: yours to edit
    commands.py           the commands of `python -m service`: add your own
    lambda_function.py    Lambda's way in
    http_server.py        the instance's way in, for requests
    worker.py             the instance's way in, for queued work
    settings.py           what a process is told by its environment
    runtime/              what makes one handler module run in both runtimes

Nothing here imports `deploy/`, so nothing of `deploy/` has to ship.
"""
