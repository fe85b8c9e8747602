"""From bytes to the queue, without Flask: what views, the fast path and AWS Lambda share."""
