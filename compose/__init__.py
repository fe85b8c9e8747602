"""Puts the parts together: settings, the minequeue command, the stack that it starts.

The only package that reads the environment.
"""
