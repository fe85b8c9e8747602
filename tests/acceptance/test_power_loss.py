"""A stack whose log a loss of power left with zeros at its end."""

from pathlib import Path

from tests.http import post
from tests.stack import Stack


def test_a_stack_cuts_zeros_off_its_log_says_so_and_keeps_what_it_accepted(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", miners="1,1", web_processes="1", block_interval="600")
    try:
        stack.start()
        for number in range(3):
            payment = {"sender": "a", "recipient": "b", "amount": number}
            assert post(stack.url, payment).status == 202
    finally:
        assert stack.stop() == 0
    [log] = (stack.data_dir / "ledger" / "appendonlydir").glob("*.incr.aof")
    with log.open("ab") as file:
        file.write(b"*3\r\n$3\r\nS" + bytes(4096))
    stack.environment["MINEQUEUE_BLOCK_INTERVAL"] = "0.5"
    try:
        stack.start()
        assert "the log ended in zeros, as after a loss of power: cut after" in stack.said()
        stack.wait_until_drained()
        assert stack.check()["transactions"] == 3
    finally:
        stack.stop()
