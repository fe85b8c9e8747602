"""The processes that check a chain end with whoever needs them, however that one ends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache

import psutil
import pytest

from minequeue.compose.check import checkers
from minequeue.compose.check.chain_page import Page
from minequeue.compose.check.checkers import CheckerDied, check_pages
from minequeue.compose.stack.alive import is_alive
from tests.independent import make_block, make_chain, make_reward, make_transaction
from tests.node import serve_chain, write_answer, write_block
from tests.waiting import wait_for

PAGES = [Page("here", write_answer([write_block(block)], 9), 1) for block in make_chain(9)]


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "_WORTH_STARTING", 0)


def test_results_come_in_the_chains_order_from_processes_that_then_end() -> None:
    with closing(check_pages(iter(PAGES), 3)) as checked:
        first = next(checked)
        assert len(multiprocessing.active_children()) == 3
        indexes = [facts.index for good, _ in [first, *checked] for facts in good]
    assert indexes == list(range(1, 10))
    assert multiprocessing.active_children() == []


def test_leaving_early_ends_them() -> None:
    with closing(check_pages(iter(PAGES), 2)) as checked:
        next(checked)
        children = [psutil.Process(child.pid) for child in multiprocessing.active_children()]
    assert len(children) == 2
    assert not [child for child in children if is_alive(child)]


def test_a_death_among_them_is_an_error_and_ends_the_others() -> None:
    with closing(check_pages(iter(PAGES), 2)) as checked:
        next(checked)
        child = multiprocessing.active_children()[0]
        child.kill()
        child.join()
        with pytest.raises(CheckerDied):
            list(checked)
    assert multiprocessing.active_children() == []


@cache
def _make_long_chain() -> list[bytes]:
    """One that is worth processes of their own, and has a page left when they have started."""
    blocks = make_chain(1)
    for index in range(2, 16):
        body = [make_transaction(nonce=f"{index}.{n}") for n in range(3000)]
        blocks.append(make_block(blocks[-1], [*body, make_reward(index)], bits=1))
    return [write_block(block) for block in blocks]


@contextmanager
def _check_under_way() -> Iterator[tuple["subprocess.Popen[str]", list[psutil.Process]]]:
    """`minequeue check` that has started its processes and waits for the node's last block."""
    last, may_answer = threading.Event(), threading.Event()
    blocks = _make_long_chain()

    def hold_the_last(first: int, limit: int) -> None:
        if first + limit > len(blocks):
            last.set()
            may_answer.wait()

    ours = ("--bits", "1", "--network", "test")
    with serve_chain(blocks, hold_the_last) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "minequeue", "check", url, "--processes", "2", *ours],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert last.wait(60)
            children = psutil.Process(process.pid).children(recursive=True)
            assert len(children) >= 2
            yield process, children
        finally:
            may_answer.set()
            process.kill()
            process.communicate()


def _wait_until_gone(children: list[psutil.Process]) -> None:
    """The checkers, and multiprocessing's own tracker, which ends a moment after its owner."""
    wait_for(lambda: not any(map(is_alive, children)), "the end of its processes")


def test_ctrl_c_ends_all_of_a_check_without_a_traceback() -> None:
    with _check_under_way() as (process, children):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert (out, err.strip()) == ("", "")
        _wait_until_gone(children)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_check_that_is_killed_leaves_no_process_behind(how: signal.Signals) -> None:
    with _check_under_way() as (process, children):
        process.send_signal(how)
        process.wait(60)
        _wait_until_gone(children)
