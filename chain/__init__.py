"""The blockchain: its rules, and the ledger in Redis that holds chain and queue.

Knows neither Flask nor Celery. Everything but :mod:`chain.ledger` is pure: no input,
no output, time and randomness come in as arguments.
"""
