"""What tests of services need of the application: words are said in a request of it."""

from collections.abc import Iterator

import pytest
from flask import Flask

from hub.app import create_app
from hub.records.keys import Keys
from hub.settings import Settings


@pytest.fixture
def app(settings: Settings, keys: Keys) -> Iterator[Flask]:
    """Return the application on this test's database."""
    app = create_app(settings, keys=keys)
    yield app
    app.extensions["hub"].database.dispose()
    app.extensions["hub"].redis.close()
