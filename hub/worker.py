"""What a worker process imports: every feature's jobs and ticks, then the broker."""

from hub import logs
from hub.jobs import broker as jobs
from hub.processes import find_servers, loading
from hub.settings import get_settings

with loading():
    import directory.actors  # noqa: F401  # registers its jobs and ticks
    import messaging.actors  # noqa: F401  # registers its jobs and ticks

logs.configure()
broker = jobs.install(find_servers(get_settings()))
