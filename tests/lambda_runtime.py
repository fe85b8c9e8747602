"""Stands in for AWS Lambda's runtime: loads the handler, hands it events, tells what it says.

Started alone, as `python -I -S lambda_runtime.py DIRECTORY...`, with nothing of this project on its
path but the directories that are named: the unpacked function, and what Lambda itself has. Reads
events from standard input, one a line, and writes a line for each, after one for the start.
"""

import json
import resource
import sys
import time


def main() -> None:
    began = time.perf_counter()
    sys.path[:0] = sys.argv[1:]
    from minequeue.web.lambda_handler import handler  # noqa: PLC0415  # this is what the start is

    _tell({"started_s": time.perf_counter() - began, "modules": sorted(sys.modules)})
    for line in sys.stdin:
        event = json.loads(line)
        began = time.perf_counter()
        try:
            said: dict[str, object] = {"answer": handler(event, None)}
        except Exception as error:  # noqa: BLE001  # as the runtime does
            said = {"errorType": type(error).__name__, "errorMessage": str(error)}
        took_s = time.perf_counter() - began
        # as the runtime writes answers: what is no JSON would fail here
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _tell({**said, "took_s": took_s, "peak_kib": peak_kib})


def _tell(said: object) -> None:
    print(json.dumps(said), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
