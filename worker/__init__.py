"""Celery glue: the only package that sees both the record (curation) and the tensors (trainer, in child processes)."""
