"""``python -m compose`` is the minequeue command."""

from compose.cli.main import main

if __name__ == "__main__":
    main()
