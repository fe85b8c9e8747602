"""The subcommands, by theme; each parses, calls one function and leaves errors to compose/cli.py.

What one command needs is imported by it alone, so that none waits for the libraries of others.
"""
