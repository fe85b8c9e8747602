"""For all tests: what is generated may take its time, on a machine that is busy with others."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "minequeue",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    max_examples=int(os.environ.get("PARSER_EXAMPLES", "100")),
)
settings.load_profile("minequeue")
