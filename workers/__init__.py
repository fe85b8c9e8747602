"""The workers: Celery tasks that mine, the sweep that wakes them, the autoscaler of their pool."""
