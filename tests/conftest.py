"""What every test may ask for. The fixtures themselves lie in ``tests/fixtures/``."""

pytest_plugins = [
    "tests.fixtures.models",
    "tests.fixtures.processes",
    "tests.fixtures.stores",
    "tests.fixtures.watched",
]
