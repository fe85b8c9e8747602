"""The Celery app by the settings of the environment, for Celery's own command line."""

import os

from compose.settings import Settings
from compose.wiring import make_celery

app = make_celery(Settings.from_environment(os.environ))
