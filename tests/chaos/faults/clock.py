"""The server's clock jumps, forth or back, and back or forth again."""

import time
from random import Random

from tests.chaos.faults.fault import NotCovered
from tests.chaos.field import Field, Kind

# less than two hours ahead, past which no validator accepts a block
_JUMPS_S = (-86_400, -3600, -60, 60, 600, 1200)


class ClockJump:
    """While the clock is wrong, and when it is right again, mine requests get their blocks."""

    name = "the server's clock jumps"
    kind: Kind = "named"

    def strike(self, field: Field, drawn: Random) -> None:
        if field.server.clock is None:
            raise NotCovered("there is no libfaketime (Debian: faketime)")
        ahead_s = drawn.choice(_JUMPS_S)
        for jump_s in (ahead_s, 0):
            field.server.clock.set(jump_s)
            with field.admin() as server:
                seconds, _ = server.time()
            assert abs(seconds - time.time() - jump_s) < abs(ahead_s) / 2, "the clock did not jump"
            field.figures.clock.append(field.measure_next_block(time.monotonic()))

    def heal(self, field: Field) -> None:
        if field.server.clock:
            field.server.clock.set(0)
        field.wait_until_web_serves()
