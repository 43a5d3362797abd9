"""The REST API at /api/v1: everything that the pages can do, through the same stage functions. One noun per file."""

import ninja

from django.core.exceptions import ImproperlyConfigured

if not hasattr(ninja, "NinjaAPI"):
    raise ImproperlyConfigured(
        "the module `ninja` is the build tool's, which vLLM brings, and has overwritten django-ninja's; put that one back, both "
        'then work: pip install --no-deps --force-reinstall "django-ninja~=1.7"'
    )
