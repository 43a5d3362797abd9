"""Searching: the words that a new sample version is found by. An import writes those of its file itself, set by set."""

from __future__ import annotations

from django.db import connection

from curation.models import SampleVersion
from curation.models.searching import dataset_word
from toolcalls.searching import sample_words
from toolcalls.wire import sample_from_json

ADD = """
INSERT INTO curation_samplewords (version_id, words) VALUES (%s, array_to_tsvector(%s::text[]))
ON CONFLICT (version_id) DO UPDATE SET words = excluded.words
"""


def index_version(version: SampleVersion) -> None:
    """Write the words of one version, in the caller's transaction."""
    words = [dataset_word(version.sample.dataset_id), *sample_words(sample_from_json(version.content))]
    with connection.cursor() as cursor:
        cursor.execute(ADD, [version.pk, words])
