"""``minequeue bench``: runs a benchmark of the source checkout."""

from minequeue.chain.errors import MinequeueError
from minequeue.compose.checkout import import_from_checkout


def run_bench(name: str, *, as_json: bool) -> int:
    """Run the benchmark ``name``; 0 if its goals were reached, else 1.

    Raises:
        MinequeueError: there is none of that name, or this is no source checkout.
    """
    benches = import_from_checkout("tests.bench.run")
    if name not in benches.NAMES:
        raise MinequeueError(f"There is no benchmark {name}; choose {', '.join(benches.NAMES)}.")
    return int(benches.run_bench(name, as_json=as_json))
