"""The Celery application of one role's home folder (ZKDPS_HOME); its default broker is SQLite.

A lost message never matters: the role's tick hands out again whatever chain and journal show to be
left, and steps are idempotent. Fleets set `broker_url` to Redis or RabbitMQ.
"""

from __future__ import annotations

from celery import Celery
from kombu.transport.sqlalchemy import Transport

from offchain.params.settings import Settings, read_home_settings

# How often an SQLite broker is asked for work; Kombu takes it from the class only.
Transport.polling_interval = 0.1


def build_app(settings: Settings) -> Celery:
    """Return an application that sends and takes a role's steps."""
    app = Celery("zkdps", broker=settings.broker, include=["offchain.workers.tasks"])
    app.conf.update(
        task_ignore_result=True,  # results are the chain's and the journal's
        task_acks_late=True,  # a killed worker's step goes back to the queue
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,  # a role's log lines stay as they are
        task_default_queue=f"zkdps-{settings.role}",
    )
    return app


app = build_app(read_home_settings())
