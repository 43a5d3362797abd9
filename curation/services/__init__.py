"""Postgres and Valkey without an installation: servers out of wheels, run as children under a small supervisor.

Knows no Django. Nothing is imported here, so that `curation.services.urls` stays cheap for the settings.
"""
