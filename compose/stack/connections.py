"""The clients' connections: how many a web process holds, and how long one may be silent."""

import resource

# After so many seconds of silence a connection is closed: while the head of a request comes, and
# between two requests. A balancer must close its idle connections earlier, because a request on a
# connection that is being closed gets no answer.
IDLE_TIMEOUT_S = 80
# Of one process; each connection may take a head of up to 64 KiB. The queue of those that wait for
# their turn has the same bound, so that it is empty once all silent connections are closed.
MAX_CONNECTIONS = 4096
MIN_CONNECTIONS = 16  # however few files may be open
_OWN_FILES = 64  # sockets, pipes, logs and libraries of the process itself
_FILES_PER_THREAD = 2  # connections to Redis and to the broker
_MAX_FILES = 10_240  # where the system names no hard limit; macOS allows no more


def raise_file_limit() -> int:
    """Raise the limit of open files to the hard limit, for this process and its children.

    Returns:
        The new limit.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MAX_FILES if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def calculate_max_connections(files: int, threads: int) -> int:
    """How many connections a process may hold, so that it keeps files for its own work.

    Args:
        files: how many it may open.
        threads: how many serve requests.
    """
    spare = files - _OWN_FILES - _FILES_PER_THREAD * threads
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, spare))
