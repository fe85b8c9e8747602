"""Takes bursts of transactions into a blockchain without losing one.

The four packages lie beside this folder, which has links to them, and are imported through it:
``minequeue.chain``, ``minequeue.web``, ``minequeue.workers`` and ``minequeue.compose``.
"""
