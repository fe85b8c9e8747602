"""Events of AWS Lambda: requests for the app, and records that are submissions."""
