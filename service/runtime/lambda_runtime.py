"""Which of Lambda's runtimes this is."""

import os

_PREFIX = "AWS_Lambda_python3."


def minor() -> int:
    """12 for python3.12; 0 elsewhere, such as in an image of one's own.

    AWS_EXECUTION_ENV: "Working with Lambda environment variables" in the AWS Lambda
    Developer Guide.
    """
    number = os.environ.get("AWS_EXECUTION_ENV", "").removeprefix(_PREFIX)
    return int(number) if number.isdigit() else 0
