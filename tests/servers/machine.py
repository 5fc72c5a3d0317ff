"""One machine of a fleet: the tick and a Celery worker, as `zkdps operator run` has them."""

from offchain.params.settings import read_home_settings
from offchain.roles.loop import run_role
from offchain.workers.dispatch import Dispatcher
from offchain.workers.process import WorkerProcess
from offchain.workers.queue import enqueue
from tests.servers.counting import CountingRole


def main() -> None:
    settings = read_home_settings()
    role = CountingRole(settings)
    worker = WorkerProcess(settings, role.log, "tests.servers.worker_app")
    dispatch = Dispatcher(role, enqueue)
    try:
        run_role(role, dispatch, settings.poll_s, lambda: False, worker.ensure)
    finally:
        worker.stop()
    role.log.event("finished")


if __name__ == "__main__":
    main()
