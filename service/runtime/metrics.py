"""Metrics as log lines, which CloudWatch Logs counts.

"Specification: Embedded metric format" in the Amazon CloudWatch User Guide. Lambda's
lines get there as they are; on an instance the agent would have to be told.
"""

import logging
import time

from service.settings import Settings

NAMESPACE = "Twofold"
SERVER_ERRORS = "ServerErrors"

logger = logging.getLogger("service.metrics")


def count(metric: str, settings: Settings) -> None:
    """One more of `metric`, under the dimension `Service`; at level ERROR, as an alarm is due."""
    definition = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Service"]],
        "Metrics": [{"Name": metric, "Unit": "Count"}],
    }
    extra = {
        "_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [definition]},
        "Service": settings.name,
        metric: 1,
    }
    logger.error("%s counted", metric, extra=extra)
