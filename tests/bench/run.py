"""Which benchmarks there are."""

from importlib import import_module

# each is a module of this package with a function measure() -> Report
NAMES = (
    "hash",
    "scaling",
    "submit",
    "drain",
    "connect",
    "scale",
    "check",
    "signatures",
    "reorganise",
    "pages",
    "lambda",
    "backup",
    "cost",
)


def run_bench(name: str, *, as_json: bool) -> int:
    """Run the benchmark ``name`` and print its report; 0 if its goals were reached, else 1."""
    report = import_module(f"tests.bench.{name}").measure()
    report.show(as_json=as_json)
    return 0 if report.is_met else 1
