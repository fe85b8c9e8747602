"""For all tests: what is generated may take its time, on a machine that is busy with others."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# a shell that runs the tests in the background lets them ignore Ctrl-C, and all that they start too
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# these are no files of tests by their names, but what they assert is to be shown as theirs is
pytest.register_assert_rewrite("tests.ledger_tests")
settings.register_profile(
    "minequeue",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    max_examples=int(os.environ.get("PARSER_EXAMPLES", "100")),
)
settings.load_profile("minequeue")
