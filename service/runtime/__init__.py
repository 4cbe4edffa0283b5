"""What makes one handler module run in both runtimes.

handler_module        imports `service.handler`, or says why it cannot be
adapter -> lifespan   a Lambda event becomes an ASGI request; start-up runs once
gateways              what each front end makes of a request, and wants for a reply
exchange -> fallback  one request and its whole response, or what is answered instead
loop                  runs one request at a time, most of them without a turn
termination           the application shuts down when Lambda says so
metrics               counts, as log lines
invocation -> events  an event that is no request goes to its handler, whole or by records
  event_kind, event_handler, batch: what it is, who takes it, which records failed
failure               an event handler's exception, such that Lambda can tell of it
consumer -> sqs       the same, for the messages of a queue that a worker takes
  slots, visibility, outbox: how many at once, ours as long as it takes, told in tens
  message, threads: as Lambda's records; what blocks goes on beside the event loop
once                  work that is done once, although a message may come twice
request_log           the same for the HTTP server: request ID, 500, one line
request_lines, logs   one JSON line per request, in one format with all other lines
lambda_runtime        which of Lambda's runtimes this is
command_line          `python -m service COMMAND`
"""
