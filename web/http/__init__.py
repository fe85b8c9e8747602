"""Requests and answers as HTTP has them: bodies, parameters, names, streams, waiting."""
