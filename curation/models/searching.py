"""What a sample version is found by."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from curation.models.datasets import SampleVersion


class SampleWords(models.Model):
    """The words of a sample version (toolcalls.searching), beside its content, so that a search reads no content."""

    version = models.OneToOneField(SampleVersion, primary_key=True, on_delete=models.CASCADE, related_name="words")
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="sample_words")]


def dataset_word(dataset: int) -> str:
    """The word that every sample of a data set has, so that a search reads no other data set's samples.

    No text gives it: words hold letters and digits alone.
    """
    return f"\x01d{dataset}"
