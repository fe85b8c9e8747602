"""``minequeue bench``: finds the benchmarks, which lie beside the tests and not in the package."""

import sys
from importlib import import_module
from pathlib import Path

from chain.errors import MinequeueError

_CHECKOUT = Path(__file__).parents[1]


def run_bench(name: str, *, as_json: bool) -> int:
    """Run the benchmark ``name``; 0 if its goals were reached, else 1.

    Raises:
        MinequeueError: there is none of that name, or this is no source checkout.
    """
    if not (_CHECKOUT / "tests" / "bench").is_dir():
        raise MinequeueError("The benchmarks are in the source checkout; run it from there.")
    sys.path.insert(0, str(_CHECKOUT))
    benches = import_module("tests.bench.run")
    if name not in benches.NAMES:
        raise MinequeueError(f"There is no benchmark {name}; choose {', '.join(benches.NAMES)}.")
    return int(benches.run_bench(name, as_json=as_json))
