"""The Celery application. A message is a wake-up only: Postgres decides what work there is (docs/architecture.md)."""

from __future__ import annotations

from celery import Celery

from django.conf import settings

WAKE_UP = "worker.tasks.wake_up"

app = Celery("whetstone")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 43_200,  # seconds; early ack makes it idle
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
    },
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=False,
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    timezone="UTC",
)
