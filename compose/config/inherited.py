"""What a process that runs for long keeps of what it was started with: variables and deafness.

The libraries that serve and mine read dozens of variables by names that other programs use as well,
such as APP, BROKER_URL or FLOWER_PORT, and Granian makes each variable a field of every request, be
it SCRIPT_NAME. No list of those could be complete. So what is kept is named: the settings, and what
belongs to the machine and not to a program.
"""

import os
import re
import signal
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_KEPT = re.compile(
    "|".join(
        (
            r"MINEQUEUE_\w+",
            # of the user and the system
            r"PATH|HOME|USER|LOGNAME|SHELL|TERM|TMPDIR|TZ|TZDIR|LANG|LANGUAGE|LC_\w+",
            # of the loader, the memory's allocator and the interpreter: which code runs, and how
            r"(LD|DYLD|MALLOC|PYTHON)\w+|GLIBC_TUNABLES",
            # whom TLS trusts
            r"SSL_CERT_(FILE|DIR)|OPENSSL_\w+",
            # traces, and the way out to where they are collected
            r"OTEL_\w+|REQUESTS_CA_BUNDLE|(http|https|all|no)_proxy|(HTTP|HTTPS|ALL|NO)_PROXY",
            # what Amazon ECS tells each of its containers
            r"ECS_AGENT_URI",
        )
    )
)
# what a terminal sends; SIGTERM ends a stack in any case
_OF_TERMINALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def keep(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a part may see."""
    return {name: value for name, value in environment.items() if _KEPT.fullmatch(name)}


def stay_deaf() -> None:
    """Keep signals ignored that were so at the start, as `nohup` and a shell's & want it.

    The libraries set handlers of their own whatever was there. What is blocked reaches none of
    them, nor any in the threads and processes that this one starts.
    """
    ignored = [name for name in _OF_TERMINALS if signal.getsignal(name) is signal.SIG_IGN]
    signal.pthread_sigmask(signal.SIG_BLOCK, ignored)


def fill_standard_streams() -> None:
    """Open what of them was closed at the start, lest a file that is opened later takes its place.

    What is written to a standard stream would then be written to that file, perhaps the lock.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def long_running(command: F) -> F:
    """Of a command that runs for long: take over what is kept, before its libraries are loaded."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        for name in os.environ.keys() - keep(os.environ).keys():
            del os.environ[name]
        stay_deaf()
        fill_standard_streams()
        return command(*arguments, **options)

    return run  # type: ignore[return-value]  # it takes and gives what the command does
