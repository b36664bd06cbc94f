"""Unit tests are fast because nothing in them can reach out: opening a socket fails the test."""

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> object:
    # Unix sockets stay: asyncio's event loop wakes itself through a socket pair.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
