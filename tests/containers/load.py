"""Load that stays for as long as something else takes."""

import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.containers.timeline import say

_BURST = ("--requests", "10000", "--mine", "3", "--retry", "--json")
_COUNTED = ("answers", "accepted", "lost", "doubled", "jobs", "jobs_lost")


class Load:
    """Sends bursts one after another, from entering to leaving; the last one is sent to its end.

    Each of them looks in the chain for all of it that was accepted.

    Args:
        url: the node's, without a path.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_enough = threading.Event()
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> None:
        self._sent = self._thread.submit(self._send)

    def __exit__(self, *_: object) -> None:
        self._is_enough.set()
        say(self._sent.result())

    def _send(self) -> str:
        counted: Counter[str] = Counter()
        bursts = 0
        for seed in count(1):
            command = (sys.executable, "-m", "minequeue", "burst", self._url, *_BURST)
            burst = subprocess.run(
                (*command, "--seed", str(seed)), capture_output=True, text=True, check=False
            )
            is_unsent = not burst.stdout and "does not answer as a node does" in burst.stderr
            if is_unsent and not self._is_enough.is_set():
                continue  # it began while the web tier was down
            assert burst.returncode == 0, f"{burst.args}: {burst.stderr}{burst.stdout}"
            bursts += 1
            counted.update({name: json.loads(burst.stdout)[name] for name in _COUNTED})
            if self._is_enough.is_set():
                break
        said = ", ".join(f"{counted[name]} {name}" for name in _COUNTED)
        return f"{bursts} x minequeue burst {' '.join(_BURST)}: {said}"
