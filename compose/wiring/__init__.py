"""From settings to parts: the ledger, the web app, the Celery app, the Lambda function."""
