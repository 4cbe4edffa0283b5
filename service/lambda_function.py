"""Lambda's way in: the function's handler is `service.lambda_function.lambda_handler`."""

import gc

gc.disable()  # what importing makes stays: a search for garbage in it only costs time

from service.runtime import cold_start  # noqa: E402 - it is this import that must go fast

lambda_handler = cold_start.adapter()

gc.freeze()  # nor is it looked through at each later collection
gc.enable()
