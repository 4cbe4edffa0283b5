"""What is answered where the application has no response that can be sent."""

from dataclasses import dataclass

from service.runtime.exchange import Response


@dataclass(frozen=True)
class Refusal:
    """A status, and what the client is told."""

    status: int
    text: str

    def response(self, request_id: str) -> Response:
        """It in plain text, with the request ID."""
        body = self.text.format(request_id=request_id).encode()
        headers = [
            ("x-request-id", request_id),
            ("content-length", str(len(body))),
            ("content-type", "text/plain; charset=utf-8"),
        ]
        return {"status": self.status, "headers": headers, "body": body, "header_bytes": 0}


# uvicorn's words; the application has left its response unfinished.
SERVER_ERROR = Refusal(500, "Internal Server Error")

# Lambda was about to end the process.
OUT_OF_TIME = Refusal(
    504,
    "The request took longer than the function may run. Request ID: {request_id}.\n"
    "Raise timeout_seconds, do less at once, or ask the instance.\n",
)


def too_large(gateway: str, taken: int, limit: int) -> Refusal:
    """The gateway cannot carry the response, which takes `taken` bytes as JSON, or more."""
    return Refusal(
        507,
        f"The response takes {taken:,} bytes of JSON or more; {gateway} carries {limit:,}. "
        "Request ID: {request_id}.\n"
        "Send less at once (pages, compression), redirect to S3, or ask the instance.\n",
    )
