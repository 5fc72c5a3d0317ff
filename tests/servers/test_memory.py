"""Journal, cursor, nonces and submissions behave on PostgreSQL as they do on SQLite.

The unit tests' own cases, with their fixture `place` on a server.
"""

from tests.unit.chain.test_cursor import *  # noqa: F403
from tests.unit.chain.test_journal import *  # noqa: F403
from tests.unit.submit.test_transactions import *  # noqa: F403

del test_open__file__for_its_owner_only  # noqa: F821  # there is no file
