"""What stands before a function, as pure models: a request as it came over the wire -> the
event that AWS makes of it; the function's result -> the response that the client gets.

One module a front end. Each rule names the AWS page that it comes from; a rule that AWS does
not document says so: `seen` with where it was, or `assumed`.
"""
