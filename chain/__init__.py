"""The blockchain: its rules, and the ledger in Redis that holds chain and queue.

Knows neither Flask nor Celery. Everything but :mod:`chain.ledger` is pure: no input,
no output, time and randomness come in as arguments.
"""

if __name__ != "minequeue.chain":  # else each class would be made twice
    raise ImportError("import minequeue.chain")
