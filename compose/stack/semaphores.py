"""Whether processes here can wait for one another: by semaphores, which are files in /dev/shm."""

import multiprocessing

from minequeue.compose.errors import StartRefused


def check_semaphores() -> None:
    """See that a worker can start its processes.

    Raises:
        StartRefused: it cannot, since /dev/shm is not there, full, or read-only.
    """
    try:
        multiprocessing.get_context("fork").Semaphore()  # Celery's pool makes them alike
    except OSError as error:
        raise StartRefused(
            f"Workers cannot start their processes: no semaphore can be made ({error.strerror}); "
            "make /dev/shm writable, in a container by a tmpfs there."
        ) from None
