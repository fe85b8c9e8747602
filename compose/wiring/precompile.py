"""Make the machine code of every kernel where this installation looks for it first.

For an image, which is built on one processor, started on others, and cannot be written then.
"""

import click

from minequeue.compose.wiring.workers import INSTALLED_KERNELS
from minequeue.workers.kernels import make_all

if __name__ == "__main__":
    click.echo(f"{', '.join(make_all(INSTALLED_KERNELS))} in {INSTALLED_KERNELS}")
