"""Benchmarks: each measures a ratio, side by side with its yardstick, in one run.

`make bench ARGS=NAME` runs one; they are not tests, and no test is timed.
"""
