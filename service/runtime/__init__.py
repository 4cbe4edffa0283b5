"""What makes one handler module run in both runtimes.

handler_module        imports `service.handler`, or says why it cannot be
adapter -> lifespan   a Lambda event becomes an ASGI request; start-up runs once
events                a Lambda event that is no request goes to its handler
request_log -> logs   one JSON line per request, in one format with all other lines
command_line          `python -m service COMMAND`
"""
