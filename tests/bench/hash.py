"""Nonces a second: every kernel that runs here, beside hashlib and beside C written by hand."""

import ctypes
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from statistics import median

from minequeue.chain.protocol.header import PREFIX_SIZE, put_nonce
from minequeue.chain.protocol.proof_of_work import Search, meets_target, search_with_hashlib
from minequeue.workers.kernels import load_search, load_searches
from minequeue.workers.kernels.catalogue import list_for
from minequeue.workers.kernels.machine_code import SIGNATURE, Processor, make_search
from tests.bench.report import Figure, Report

ROUNDS = 15  # each measures all that are compared, so that a slow moment slows them all
ROUND_S = 0.1
SOURCE = Path(__file__).with_name("yardstick.c")
NO_HIT = bytes(4) + (256).to_bytes(4, "big") + bytes(PREFIX_SIZE - 8)


def measure() -> Report:
    """Compare them."""
    with tempfile.TemporaryDirectory() as scratch:
        cold_s = _start(Path(scratch, "cache"))
        warm_s = _start(Path(scratch, "cache"))
        kernels = {k.name: k.search for k in load_searches(Path(scratch, "cache"))}
        chosen = load_search(Path(scratch, "cache")).name
        yardsticks, compiler = _compile_yardsticks(Path(scratch))
    plain = {"hashlib, plainly": search_plainly, "hashlib, the fallback": search_with_hashlib}
    rates = _measure_rates({**plain, **kernels, **yardsticks})
    figures = [Figure(name, rate / 1e6, "MH/s") for name, rate in rates.items()]
    figures += [
        Figure(f"{chosen}, the chosen one, over {name}", rates[chosen] / rates[name], "x", goal)
        for name, goal in zip(plain, (40, None), strict=True)
    ]
    for name in kernels:
        twin = f"C, {name}"
        if twin in rates:
            figures.append(Figure(f"{name} over {twin}", rates[name] / rates[twin], "x", 0.9))
    figures += [
        Figure("start with an empty cache", cold_s, "s", at_most=1),
        Figure("start with a full cache", warm_s, "s", at_most=1),
    ]
    return Report(
        "hash",
        figures,
        [
            f"One core; medians of {ROUNDS} rounds that measure all in turn. {compiler}",
            "hashlib plainly hashes each header anew; the fallback keeps the state after the first "
            "64 bytes.",
            "A start makes or reads machine code, proves it against hashlib, picks the fastest.",
        ],
    )


def search_plainly(header_prefix: bytes, start: int, count: int) -> int | None:
    """What anyone would write first; see minequeue.chain.protocol.proof_of_work.Search."""
    bits = int.from_bytes(header_prefix[4:8], "big")
    for nonce in range(start, start + count):
        if meets_target(sha256(put_nonce(header_prefix, nonce)).digest(), bits):
            return nonce
    return None


def _start(cache: Path) -> float:
    """How long a new process takes to be ready to search, beyond Python's own start."""
    program = (
        "import time; began = time.perf_counter()\n"
        "from pathlib import Path; from minequeue.workers.kernels import load_search\n"
        f"load_search(Path({str(cache)!r})); print(time.perf_counter() - began)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=SOURCE.parents[2]
    )
    return float(done.stdout)


def _compile_yardsticks(scratch: Path) -> tuple[dict[str, Search], str]:
    """The searches in C that run here, and with what they were compiled."""
    compiler = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if compiler is None:
        return {}, "There is no C compiler here: nothing was compared with C."
    library = scratch / "yardstick.so"
    processor = Processor.here()
    lanes = list_for(processor)[-1].hashing.lanes
    options = ["-O3", "-march=native", "-mprefer-vector-width=512", f"-DLANES={lanes}"]
    if processor.architecture != "x86_64":
        options = ["-O3", f"-DLANES={lanes}"]
    subprocess.run([compiler, *options, "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    said = f"C by {version.stdout.splitlines()[0]}, {' '.join(options)}."
    return dict(_find_functions(ctypes.CDLL(str(library)), lanes)), said


def _find_functions(library: ctypes.CDLL, lanes: int) -> Iterator[tuple[str, Search]]:
    for name, function in (("x86-sha", "search_sha"), (f"vectors-{lanes}", "search_vectors")):
        if hasattr(library, function):
            search = make_search(SIGNATURE((function, library)))
            assert _all_hits(search) == _all_hits(search_with_hashlib), f"{function} is wrong"
            yield f"C, {name}", search


def _all_hits(search: Search) -> list[int]:
    prefix = NO_HIT[:4] + (8).to_bytes(4, "big") + NO_HIT[8:]
    hits, start = [], 0
    while (hit := search(prefix, start, 5_000 - start)) is not None:
        hits.append(hit)
        start = hit + 1
    return hits


def _measure_rates(searches: Mapping[str, Search]) -> dict[str, float]:
    """Nonces a second of each."""
    counts = {name: _count_for(search) for name, search in searches.items()}
    rates: dict[str, list[float]] = {name: [] for name in searches}
    for _ in range(ROUNDS):
        for name, search in searches.items():
            began = time.perf_counter()
            search(NO_HIT, 0, counts[name])
            rates[name].append(counts[name] / (time.perf_counter() - began))
    return {name: median(found) for name, found in rates.items()}


def _count_for(search: Search) -> int:
    """How many nonces take about a round's time."""
    began, count = time.perf_counter(), 20_000
    search(NO_HIT, 0, count)
    return max(count, int(count * ROUND_S / (time.perf_counter() - began)))
