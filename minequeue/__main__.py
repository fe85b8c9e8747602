"""``python -m minequeue`` is the minequeue command."""

from minequeue.compose.cli.main import main

if __name__ == "__main__":
    main()
