"""The Celery application of one role's home folder (ZKDPS_HOME); its default broker is SQLite.

A lost message never matters: the role's tick hands out again whatever chain and journal show to be
left, and steps are idempotent. Fleets set `broker_url` to Redis or RabbitMQ, and one `broker_queue`
for the machines that work for one account.
"""

from __future__ import annotations

from typing import Any, Final

from celery import Celery
from kombu.transport.sqlalchemy import Transport

from offchain.params.settings import Settings, read_home_settings

# How often an SQLite broker is asked for work; Kombu takes it from the class only.
Transport.polling_interval = 0.1


# A broker that does not answer is not waited for: the role goes on without it.
CONNECT_S: Final = 3.0
ANSWER_S: Final = 5.0
# Redis gives a message to a second worker when it was not acknowledged for so long. A killed
# worker's step is handed out again by the tick long before that.
VISIBILITY_S: Final = 3600
# Each thread's step and the one after it: Celery's loop acknowledges what threads have finished
# only after the next message or 2 s, and takes no more than this before.
PREFETCH: Final = 2
LONGEST_STEPS: Final = 4  # a proof, and three times that for runs, queues and blocks


def build_transport_options(settings: Settings) -> dict[str, Any]:
    """Return the broker's options; those of Redis mean nothing to SQLite."""
    options: dict[str, Any] = {"max_retries": 0, "interval_start": 0, "interval_step": 0}
    if settings.broker.startswith(("redis", "sentinel")):
        longest = int(LONGEST_STEPS * settings.prover_timeout_s)
        options |= {
            "visibility_timeout": max(VISIBILITY_S, longest),
            "socket_connect_timeout": CONNECT_S,
            "socket_timeout": ANSWER_S,
            "socket_keepalive": True,
            "health_check_interval": 10,
        }
    return options


def build_app(settings: Settings) -> Celery:
    """Return an application that sends and takes a role's steps."""
    app = Celery("zkdps", broker=settings.broker, include=["offchain.workers.tasks"])
    app.conf.update(
        task_ignore_result=True,  # results are the chain's and the journal's
        task_acks_late=True,  # a killed worker's step goes back to the queue
        worker_pool="threads",
        worker_concurrency=settings.workers,
        worker_prefetch_multiplier=PREFETCH,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker waits for its broker for ever
        broker_connection_timeout=CONNECT_S,
        broker_transport_options=build_transport_options(settings),
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,  # a role's log lines stay as they are
        task_default_queue=settings.queue,
    )
    return app


app = build_app(read_home_settings())
