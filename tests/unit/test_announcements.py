"""What the listener of the channel counts; waiting by it is shown where somebody waits."""

from minequeue.chain.ledger import RedisClient
from minequeue.chain.ledger.keys import Keys
from tests.ledgers import RULES, make_ledger
from tests.waiting import wait_for


def test_a_word_on_the_channel_wakes_and_names_no_block(redis_client: RedisClient) -> None:
    ledger = make_ledger(redis_client)
    news = ledger.announcements
    news.listen()
    channel = Keys(RULES.network).connected
    wait_for(lambda: redis_client.client.pubsub_numsub(channel)[0][1], "a listener", 5)
    for told, latest in ((7, 7), ("resolved", 7), (8, 8)):
        seen = news.count
        redis_client.client.publish(channel, told)
        wait_for(lambda seen=seen: news.count > seen, "the news", 5)  # type: ignore[misc]  # mypy does not infer defaults of lambdas
        assert news.latest == latest
