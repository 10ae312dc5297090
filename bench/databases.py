"""Scratch databases on the server of DATABASE_URL: new, or the copy of another; dropped when done."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2


@contextmanager
def scratch_database(server: str, name: str, *, like: str = "template1", keep: bool = False) -> Iterator[str]:
    """The URL of a new database, dropped afterwards whatever happens, or kept and named. `like` is copied; nobody may be
    connected to it meanwhile."""
    parts = urlsplit(server)
    connection = psycopg2.connect(urlunsplit(parts._replace(path="/postgres")))
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}" STRATEGY FILE_COPY')
    try:
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        if keep:
            print(f"Kept: {name}", file=sys.stderr)
        else:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        connection.close()
