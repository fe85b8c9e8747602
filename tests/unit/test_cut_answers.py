"""What the log says of answers that end in the middle."""

import logging

import pytest

from minequeue.compose.wiring.cut_answers import CutAnswers

HEAD = "Application callable raised an exception\nTraceback (most recent call last):\n  File x\n"


def _pass(message: str) -> logging.LogRecord:
    record = logging.LogRecord("_granian.utils", logging.ERROR, "", 0, message, (), None)
    assert CutAnswers().filter(record)
    return record


@pytest.mark.parametrize(
    "last",
    [
        "minequeue.chain.errors.LedgerUnavailable: The database is not responding.",
        "ConnectionAbortedError: the chain was reorganised while it was read",
    ],
)
def test_an_answer_that_was_cut_is_one_line(last: str) -> None:
    record = _pass(f"{HEAD}{last}\n")
    assert record.getMessage() == f"an answer was cut: {last}"
    assert record.levelname == "WARNING"


@pytest.mark.parametrize("message", [f"{HEAD}KeyError: 1\n", "LedgerUnavailable", ""])
def test_a_fault_keeps_its_traceback(message: str) -> None:
    record = _pass(message)
    assert record.getMessage() == message
    assert record.levelname == "ERROR"
