"""What a worker process imports: every feature's jobs and ticks, then the broker."""

import directory.actors  # noqa: F401  # registers its jobs and ticks
import messaging.actors  # noqa: F401  # registers its jobs and ticks
from hub import logs
from hub.jobs import broker as jobs
from hub.processes import find_servers
from hub.settings import get_settings

logs.configure()
broker = jobs.install(find_servers(get_settings()))
