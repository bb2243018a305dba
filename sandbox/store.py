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
);
CREATE INDEX IF NOT EXISTS document_parent ON document (kind, parent_id, id);
CREATE INDEX IF NOT EXISTS document_sku ON document (kind, sku);
CREATE INDEX IF NOT EXISTS document_barcode ON document (kind, barcode);
CREATE INDEX IF NOT EXISTS document_email ON document (kind, email);
-- with status and type, so that a list is filtered and counted without reading the documents
CREATE INDEX IF NOT EXISTS document_created ON document (kind, created, id, status, type);
CREATE INDEX IF NOT EXISTS document_modified ON document (kind, modified, id, status, type);
CREATE TABLE IF NOT EXISTS sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

# How many rows share the first column of an index, the first two, ... told instead of measured:
# without it SQLite takes the kind for telling, and walks through all products to find one SKU.
STATISTICS = {
    "sqlite_autoindex_document_1": "100000 20000 1",
    "document_parent": "100000 20000 5 1",
    "document_sku": "100000 20000 1",
    "document_barcode": "100000 20000 1",
    "document_email": "100000 20000 1",
    "document_created": "100000 20000 100 1 1 1",
    "document_modified": "100000 20000 100 1 1 1",
}

# A process that is killed loses nothing it committed: only a power cut could, and that is no
# concern of a sandbox. So no write waits for the disk.
PRAGMAS = ("journal_mode=WAL", "synchronous=OFF", "temp_store=MEMORY", "busy_timeout=5000")

_encode = json.JSONEncoder(separators=(",", ":")).encode
MAX_ID = 2**63 - 1
MAX_VARIABLES = 500  # in one IN (...); SQLite's own limit was 999 for long


def _placeholders(values):
    return ",".join("?" * len(values))


class DocumentStore:
    """One SQLite connection behind one lock: requests are small, and writes are one at a time.

    Inside a transaction what is read by id or written stays at hand, and is written in one go
    before the next search or at the end: each call of SQLite lets other threads run, which is
    what would make a batch slow.
    """

    def __init__(self, path, lookups):
        """:param path: a file, or None for memory
        :param lookups: indexed column -> field of the document it is copied from
        """
        self._lookups = [lookups.get(column) for column in COLUMNS]
        self._lock = threading.RLock()
        self._depth = 0
        self._at_hand = {}  # (kind, id) -> body, or None for what is not there; in a transaction
        self._unwritten = {}  # (kind, id) -> row; in a transaction
        self._db = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None
        )
        for pragma in PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)
        self._tell_statistics()

    def _tell_statistics(self):
        rows = [("document", index, numbers) for index, numbers in STATISTICS.items()]
        self._db.execute("ANALYZE sqlite_schema")
        self._db.execute("ANALYZE setting")  # makes the table sqlite_stat1, if nothing has yet
        self._db.execute("DELETE FROM sqlite_stat1")
        self._db.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", rows)
        self._db.execute("ANALYZE sqlite_schema")

    def close(self):
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self):
        """Everything inside is committed together, or not at all. Nests."""
        with self._lock:
            if self._depth:
                yield self
                return
            self._db.execute("BEGIN")
            self._depth = 1
            try:
                yield self
                self._flush()
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0
                self._at_hand.clear()
                self._unwritten.clear()

    def _flush(self):
        if self._unwritten:
            rows = list(self._unwritten.values())
            self._unwritten.clear()
            statement = f"INSERT OR REPLACE INTO document VALUES ({_placeholders(rows[0])})"
            self._db.executemany(statement, rows)

    # === DOCUMENTS === #

    def put(self, kind, document):
        with self.transaction():
            row = self._row(kind, document)
            self._unwritten[kind, document["id"]] = row
            self._at_hand[kind, document["id"]] = row[-1]

    def _row(self, kind, document):
        values = [document.get(field) if field else None for field in self._lookups]
        return [kind, document["id"], *values, _encode(document)]

    def get(self, kind, document_id):
        """The document, or None; also for an id no integer column can hold."""
        return self.get_many(kind, [document_id]).get(document_id)

    def get_many(self, kind, ids):
        """``{id: document}`` of those that exist: each a copy of its own."""
        with self.transaction():
            self.fetch(kind, ids)
            bodies = {number: self._at_hand.get((kind, number)) for number in ids}
            return {number: json.loads(body) for number, body in bodies.items() if body}

    def fetch(self, kind, ids):
        """Have these at hand: worth it before many are read one by one."""
        ids = [n for n in ids if 0 < n <= MAX_ID and (kind, n) not in self._at_hand]
        for start in range(0, len(ids), MAX_VARIABLES):
            part = ids[start : start + MAX_VARIABLES]
            self._at_hand.update(dict.fromkeys((kind, number) for number in part))
            where = f"kind = ? AND id IN ({_placeholders(part)})"
            statement = f"SELECT id, body FROM document WHERE {where}"
            for number, body in self._db.execute(statement, [kind, *part]):
                self._at_hand[kind, number] = body

    def delete(self, kind, document_id):
        with self.transaction():
            self._flush()
            self._db.execute("DELETE FROM document WHERE kind = ? AND id = ?", [kind, document_id])
            self._at_hand[kind, document_id] = None

    def find(self, kind, conditions=(), order="id", limit=None, offset=0):
        """:param conditions: pairs (SQL over the columns, its values), all of which must hold
        :param order: SQL, or None where there is no more than one
        """
        where, values = self._where(kind, conditions)
        suffix = f" ORDER BY {order}" if order else ""
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
            self._flush()
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
            self._at_hand.clear()
            self._unwritten.clear()
            self._db.execute("DELETE FROM document")
            self._db.execute("DELETE FROM sequence")
