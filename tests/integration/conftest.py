"""What the tests of services share: the table of postcodes, built once."""

import pytest

from directory.postcodes import Postcodes


@pytest.fixture(scope="session")
def postcodes(tmp_path_factory: pytest.TempPathFactory) -> Postcodes:
    """Return the table of postcodes."""
    return Postcodes.open(tmp_path_factory.mktemp("postcodes"))
