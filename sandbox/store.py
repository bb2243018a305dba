"""Documents in SQLite: what every sandbox keeps its data in.

A document is a dict stored as JSON under ``(kind, id)``. The fields a platform searches by are
copied into indexed columns, so that listing ten thousand products does not parse them all.
"""

import json
import sqlite3
import threading
from contextlib import contextmanager

COLUMNS = ("parent_id", "sku", "barcode", "email", "status", "type", "title", "created", "modified")

# NOCASE: MySQL's usual collation, and so a lookup by SKU, takes upper and lower case as equal.
SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    parent_id INTEGER,
    sku TEXT COLLATE NOCASE,
    barcode TEXT COLLATE NOCASE,
    email TEXT COLLATE NOCASE,
    status TEXT,
    type TEXT,
    title TEXT COLLATE NOCASE,
    created TEXT,
    modified TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS document_parent ON document (kind, parent_id);
CREATE INDEX IF NOT EXISTS document_sku ON document (kind, sku) WHERE sku <> '';
CREATE INDEX IF NOT EXISTS document_barcode ON document (kind, barcode) WHERE barcode <> '';
CREATE INDEX IF NOT EXISTS document_email ON document (kind, email) WHERE email <> '';
CREATE INDEX IF NOT EXISTS document_created ON document (kind, created, id);
CREATE INDEX IF NOT EXISTS document_modified ON document (kind, modified, id);
CREATE TABLE IF NOT EXISTS sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

# A process that is killed loses nothing it committed: only a power cut could, and that is no
# concern of a sandbox. So no write waits for the disk.
PRAGMAS = ("journal_mode=WAL", "synchronous=OFF", "temp_store=MEMORY", "busy_timeout=5000")

MAX_ID = 2**63 - 1
MAX_VARIABLES = 500  # in one IN (...); SQLite's own limit was 999 for long


def _placeholders(values):
    return ",".join("?" * len(values))


class DocumentStore:
    """One SQLite connection behind one lock: requests are small, and writes are one at a time."""

    def __init__(self, path, lookups):
        """:param path: a file, or None for memory
        :param lookups: indexed column -> field of the document it is copied from
        """
        self._lookups = [lookups.get(column) for column in COLUMNS]
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None
        )
        for pragma in PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)

    def close(self):
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self):
        """Everything inside is committed together, or not at all. Nests."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN")
            self._depth += 1
            try:
                yield self
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    # === DOCUMENTS === #

    def put(self, kind, document):
        self.put_many(kind, [document])

    def put_many(self, kind, documents):
        rows = [self._row(kind, document) for document in documents]
        statement = f"INSERT OR REPLACE INTO document VALUES ({_placeholders(rows[0])})"
        with self.transaction():
            self._db.executemany(statement, rows)

    def _row(self, kind, document):
        values = [document.get(field) if field else None for field in self._lookups]
        return [kind, document["id"], *values, json.dumps(document, separators=(",", ":"))]

    def get(self, kind, document_id):
        """The document, or None; also for an id no integer column can hold."""
        if not 0 < document_id <= MAX_ID:
            return None
        rows = self._bodies("kind = ? AND id = ?", [kind, document_id])
        return rows[0] if rows else None

    def get_many(self, kind, ids):
        """``{id: document}`` of those that exist."""
        found = {}
        ids = [number for number in ids if 0 < number <= MAX_ID]
        for start in range(0, len(ids), MAX_VARIABLES):
            part = ids[start : start + MAX_VARIABLES]
            where = f"kind = ? AND id IN ({_placeholders(part)})"
            found.update((doc["id"], doc) for doc in self._bodies(where, [kind, *part]))
        return found

    def delete(self, kind, document_id):
        with self.transaction():
            self._db.execute("DELETE FROM document WHERE kind = ? AND id = ?", [kind, document_id])

    def find(self, kind, conditions=(), order="id", limit=None, offset=0):
        """:param conditions: pairs (SQL over the columns, its values), all of which must hold"""
        where, values = self._where(kind, conditions)
        suffix = f" ORDER BY {order}"
        if limit is not None:
            suffix += f" LIMIT {int(limit)} OFFSET {int(offset)}"
        return self._bodies(where, values, suffix)

    def count(self, kind, conditions=()):
        where, values = self._where(kind, conditions)
        return self.rows(f"SELECT count(*) FROM document WHERE {where}", values)[0][0]

    def children(self, kind, parent_ids, columns="id"):
        """``{parent id: [row, ...]}`` in creation order; columns are SQL over the document."""
        found = {}
        parent_ids = list(parent_ids)
        for start in range(0, len(parent_ids), MAX_VARIABLES):
            part = parent_ids[start : start + MAX_VARIABLES]
            for parent_id, *row in self.rows(
                f"SELECT parent_id, {columns} FROM document"
                f" WHERE kind = ? AND parent_id IN ({_placeholders(part)}) ORDER BY id",
                [kind, *part],
            ):
                found.setdefault(parent_id, []).append(row)
        return found

    def rows(self, statement, values=()):
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def _bodies(self, where, values, suffix=""):
        rows = self.rows(f"SELECT body FROM document WHERE {where}{suffix}", values)
        return [json.loads(body) for (body,) in rows]

    @staticmethod
    def _where(kind, conditions):
        clauses, values = ["kind = ?"], [kind]
        for clause, arguments in conditions:
            clauses.append(f"({clause})")
            values.extend(arguments)
        return " AND ".join(clauses), values

    # === NUMBERS AND SETTINGS === #

    def next_id(self, sequence, count=1):
        """The first of ``count`` fresh numbers."""
        with self.transaction():
            last = self.rows("SELECT value FROM sequence WHERE name = ?", [sequence])
            last = last[0][0] if last else 0
            self._db.execute(
                "INSERT OR REPLACE INTO sequence VALUES (?, ?)", [sequence, last + count]
            )
            return last + 1

    def raise_sequence(self, sequence, value):
        """Never give out a number up to ``value`` again."""
        with self.transaction():
            missing = value - (self.next_id(sequence, 0) - 1)
            if missing > 0:
                self.next_id(sequence, missing)

    def setting(self, name, default=None):
        found = self.rows("SELECT value FROM setting WHERE name = ?", [name])
        return json.loads(found[0][0]) if found else default

    def set_setting(self, name, value):
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO setting VALUES (?, ?)", [name, json.dumps(value)]
            )

    def clear(self):
        """Delete every document and start numbering again; settings stay."""
        with self.transaction():
            self._db.execute("DELETE FROM document")
            self._db.execute("DELETE FROM sequence")
