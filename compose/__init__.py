"""Puts the parts together: settings, the minequeue command, the stack that it starts.

The only package that reads the environment.
"""

if __name__ != "minequeue.compose":  # else each class would be made twice
    raise ImportError("import minequeue.compose")
