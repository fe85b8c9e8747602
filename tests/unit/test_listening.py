"""On which addresses a stack listens, and where it is found there."""

import pytest

from minequeue.compose.config.listening import check_listening, flower_host, url_of
from minequeue.compose.config.settings import Settings
from minequeue.compose.errors import StartRefused


def _settings(**given: str) -> Settings:
    return Settings.from_environment({}, given)


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:3000"), ("::1", "http://[::1]:3000")]
)
def test_the_url_of_an_address_is_one_that_a_browser_takes(host: str, url: str) -> None:
    assert url_of(host, 3000) == url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_needs_no_tokens(host: str) -> None:
    check_listening(_settings(host=host))
    assert flower_host(_settings(host=host)) == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_another_address_needs_tokens_and_flower_a_password(host: str) -> None:
    with pytest.raises(StartRefused, match="minequeue token new"):
        check_listening(_settings(host=host))
    check_listening(_settings(host=host, open_to_all="yes"))
    assert flower_host(_settings(host=host, open_to_all="yes")) == "127.0.0.1"
    assert flower_host(_settings(host=host, flower_auth="user:password")) == host
