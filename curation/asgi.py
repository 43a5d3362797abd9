"""The ASGI application that granian serves."""

import os
from pathlib import Path

from django.conf import settings
from django.core.asgi import get_asgi_application

from curation.body_limit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
application = BodyLimit(get_asgi_application(), settings.UPLOAD_LIMIT)
# Django keeps the bodies of requests there while they arrive, and does not make the folder.
Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(mode=0o700, parents=True, exist_ok=True)
