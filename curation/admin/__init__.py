"""The admin site, for operators (superusers): people, teams, bases and engines may be edited, the record is read-only.

It writes through the stages, as everything does. Not in charge of samples, generations and verdicts: their pages show those.
"""

from django.contrib import admin
from django.contrib.auth.models import Group

from curation.admin import people, record, registry, runs

__all__ = ["people", "record", "registry", "runs"]

admin.site.site_header = admin.site.site_title = "Whetstone"
admin.site.unregister(Group)
