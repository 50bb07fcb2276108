"""The directory as a test reads it, without a web process."""

from datetime import datetime

from directory.holder import Directory
from directory.rows import read_rows
from directory.snapshot import Snapshot
from hub.clock import LONDON
from hub.db import Database


def read(database: Database, now: datetime) -> Snapshot:
    """Return the directory as it is at a moment."""
    return Directory(read_rows(database, now)).on(now.astimezone(LONDON).date())
