"""All that tames Celery: queues, processes, limits, and the tick of a worker."""
