"""Prints the queue's figures as Amazon CloudWatch's Embedded Metric Format, one line a period.

Whatever takes standard output to CloudWatch Logs makes metrics of these lines; no call of an AWS
service is made. Every process prints the same figures, so their maximum is any one's.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from minequeue.chain.background import Background
from minequeue.chain.errors import MinequeueError
from minequeue.chain.protocol.rules import Rules
from minequeue.chain.scaling import backlog
from minequeue.chain.scaling.backlog import Reading
from minequeue.chain.scaling.policy import Decision

NAMESPACE = "minequeue"
DIMENSION = "Network"
UNITS = {
    "Depth": "Count",
    "Backlog": "Count",
    "OldestAge": "Seconds",
    "MinersWanted": "Count",
    "Miners": "Count",
    "BacklogPerMiner": "Count",
}
_PERIOD_S = 10.0  # CloudWatch keeps a minute's figures together; several reach it if one is lost
_log = logging.getLogger(__name__)


class EmbeddedMetrics:
    """Prints from a thread of its own.

    Args:
        look: reads the queue, and decides how many miners it deserves.
        rules: of the network.
        write: takes one line, which ends with a line feed.
        period_s: from one line to the next, in seconds.
    """

    def __init__(
        self,
        look: Callable[[], tuple[Reading, Decision]],
        rules: Rules,
        write: Callable[[str], object],
        period_s: float = _PERIOD_S,
    ) -> None:
        self._look = look
        self._rules = rules
        self._write = write
        self._background = Background("embedded metrics", self._print, pause_s=period_s)

    def start(self) -> None:
        """Begin, and go on as long as the process lives."""
        self._background.start()

    def _print(self) -> None:
        try:
            reading, decision = self._look()
            self._write(json.dumps(describe(reading, decision, self._rules)) + "\n")
        except (MinequeueError, OSError) as error:  # a full disk under the log, say
            _log.warning("no metrics are printed: %s", error)


def describe(reading: Reading, decision: Decision, rules: Rules) -> dict[str, Any]:
    """One line's object.

    Depth is what GET /queue calls so: entries that wait. Backlog is how many blocks take them all,
    which is what workers have to do: a thousand transactions may be one block, a thousand mine
    requests are a thousand.
    """
    blocks = backlog.calculate_blocks(reading, rules)
    return {
        "_aws": {
            "Timestamp": reading.now_ms,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [[DIMENSION]],
                    "Metrics": [{"Name": name, "Unit": unit} for name, unit in UNITS.items()],
                }
            ],
        },
        DIMENSION: rules.network,
        "Depth": reading.depth,
        "Backlog": blocks,
        "OldestAge": reading.oldest_age_s,
        "MinersWanted": decision.wanted,
        "Miners": reading.fleet,
        "BacklogPerMiner": blocks / max(1, reading.fleet),
    }
