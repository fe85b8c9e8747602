"""The minequeue command: its options, and one module for each group of subcommands."""
