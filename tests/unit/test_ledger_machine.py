import redis
from hypothesis import settings

from tests.ledger_machine import LedgerMachine
from tests.separate_ledgers import make_fake_client


class FakeServerMachine(LedgerMachine):
    def make_client(self) -> redis.Redis:
        return make_fake_client()


FakeServerMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None
)
test_any_order_of_steps_crashes_and_repeats_keeps_the_promises = FakeServerMachine.TestCase
