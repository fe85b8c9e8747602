"""The tests of the ledger and its scripts, each return value of each.

`tests/unit/` runs them on fakeredis and `tests/integration/` on a real server, each with a
`connection` of its own; by themselves they are not run. A new file of theirs is named here.
"""

from tests.ledger_tests.candidates import *  # noqa: F403
from tests.ledger_tests.connecting import *  # noqa: F403
from tests.ledger_tests.fleet import *  # noqa: F403
from tests.ledger_tests.reading import *  # noqa: F403
from tests.ledger_tests.rules import *  # noqa: F403
from tests.ledger_tests.submitting import *  # noqa: F403
