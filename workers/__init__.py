"""The workers: Celery tasks that mine, the tick that wakes them, the autoscaler of their pool."""

if __name__ != "minequeue.workers":  # else each class would be made twice
    raise ImportError("import minequeue.workers")
