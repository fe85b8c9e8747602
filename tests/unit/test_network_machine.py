import pytest
from hypothesis import settings

from tests.network_machine import NetworkMachine

NetworkMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
# half a minute of a processor, which others may want as well
test_nodes_that_mine_and_meet_in_any_order_lose_and_double_nothing = pytest.mark.timeout(600)(
    NetworkMachine.TestCase
)
