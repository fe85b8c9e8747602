"""Faults of a server in cluster mode: another node takes over, and one dies."""

import time
from random import Random

from tests.chaos.field import Field, Kind


class ClusterFailover:
    """The replica becomes the primary, and the name leads to it; open connections stay behind."""

    name = "cluster failover"
    kind: Kind = "cluster"

    def strike(self, field: Field, drawn: Random) -> None:
        time.sleep(drawn.uniform(0, 0.5))  # at any moment of what the load does
        before = field.cluster.primary
        field.cluster.fail_over()
        since = time.monotonic()
        assert field.cluster.primary is not before
        assert (before.role, field.cluster.primary.role) == (b"slave", b"master")
        field.figures.resumed.append(field.measure_next_block(since))

    def heal(self, field: Field) -> None:
        field.wait_until_web_serves()


class ClusterRestart:
    """The primary is killed and started again; it says CLUSTERDOWN and LOADING for a while."""

    name = "cluster primary killed"
    kind: Kind = "cluster"

    def strike(self, field: Field, drawn: Random) -> None:
        time.sleep(drawn.uniform(0, 0.5))  # at any moment of what the load does
        before = field.cluster.primary.process
        field.cluster.restart_primary()
        assert before.poll() is not None
        field.cluster.wait_until_whole()
        field.figures.resumed.append(field.measure_next_block(time.monotonic()))

    def heal(self, field: Field) -> None:
        field.wait_until_web_serves()
