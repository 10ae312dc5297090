"""Which external ids a file has had so far, on disk: memory stays flat however long the file is."""

import sqlite3
from collections.abc import Sequence
from types import TracebackType
from typing import Self

IDS_A_QUERY = 500


class Seen:
    def __enter__(self) -> Self:
        self._store = sqlite3.connect("")  # a private temporary file, removed when closed
        self._store.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()

    def add(self, ids: Sequence[tuple[str, int]]) -> list[tuple[str, int, int]]:
        """Note ids with their lines; returns each that was there before, with its line and the first one."""
        first: dict[str, int] = {}
        for start in range(0, len(ids), IDS_A_QUERY):
            part = [one for one, _line in ids[start : start + IDS_A_QUERY]]
            marks = ", ".join("?" * len(part))
            first.update(self._store.execute(f"SELECT id, line FROM seen WHERE id IN ({marks})", part))  # noqa: S608
        repeated = []
        new = {}
        for one, line in ids:
            if one in first:
                repeated.append((one, line, first[one]))
            else:
                first[one] = new[one] = line
        self._store.executemany("INSERT INTO seen VALUES (?, ?)", new.items())
        return repeated
