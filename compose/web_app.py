"""Makes the web app in each process of the web server."""

import os

from flask import Flask

from compose.cut_answers import shorten
from compose.settings import Settings
from compose.wiring import make_web


def create() -> Flask:
    """The app by the settings of the environment."""
    shorten()
    return make_web(Settings.from_environment(os.environ))
