"""The Celery app by the settings of the environment, for Celery's own command line."""

import os

from compose.logs import configure
from compose.settings import Settings
from compose.wiring import make_celery

_settings = Settings.from_environment(os.environ)
configure(_settings.log)
app = make_celery(_settings)
