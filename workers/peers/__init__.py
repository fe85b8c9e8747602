"""Other nodes: how they are called, and what is taken over from them.

How their addresses are written, and which may be called, is in :mod:`chain.peers`.
"""
