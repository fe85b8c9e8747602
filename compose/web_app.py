"""Makes the web app in each process of the web server."""

import os

from flask import Flask

from compose.cut_answers import shorten
from compose.settings import Settings
from compose.wiring import make_web, print_metrics


def create() -> Flask:
    """The app by the settings of the environment."""
    shorten()
    settings = Settings.from_environment(os.environ)
    if settings.metrics_emf:
        print_metrics(settings)
    return make_web(settings)
