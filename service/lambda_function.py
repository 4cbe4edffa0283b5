"""Lambda's way in: the function's handler is `service.lambda_function.lambda_handler`."""

from service.runtime import cold_start

lambda_handler = cold_start.adapter()
