"""The ASGI application that granian serves."""

import os
from pathlib import Path

from django.conf import settings
from django.core.asgi import get_asgi_application

from curation.body_limit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
site = get_asgi_application()

from curation.senders import is_known  # noqa: E402 (it asks the record, which stands once Django is set up)

application = BodyLimit(site, settings.UPLOAD_LIMIT, is_known)
# Django keeps the bodies of requests there while they arrive, and does not make the folder.
Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(mode=0o700, parents=True, exist_ok=True)
