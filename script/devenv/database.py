"""Databases and the attachments that belong to them."""

import os
import shutil
import time
from datetime import datetime, timezone

from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import quote_ident

_PATIENCE = 10  # seconds


class Databases:
    """The databases of one server.

    :param filestore: the folder with one folder of attachments per database
    """

    def __init__(self, connection, filestore):
        self.connection = connection
        self.filestore = filestore

    def names(self, prefix):
        """Return those that start with ``prefix``, the last used first."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
                " ORDER BY shobj_description(oid, 'pg_database') DESC NULLS LAST",
                [prefix],
            )
            return [name for (name,) in cursor.fetchall()]

    def exists(self, name):
        return name in self.names(name) and (self.filestore / name).is_dir()

    def clone(self, source, target):
        self._execute("CREATE DATABASE {} TEMPLATE {}", target, source)
        # An attachment's file is never changed once written, so a link is as good as a copy.
        shutil.copytree(
            self.filestore / source,
            self.filestore / target,
            copy_function=os.link,
            dirs_exist_ok=True,
        )

    def rename(self, source, target):
        (self.filestore / source).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.filestore / target, ignore_errors=True)
        (self.filestore / source).rename(self.filestore / target)
        self._execute("ALTER DATABASE {} RENAME TO {}", source, target)

    def drop(self, name):
        for _try in range(_PATIENCE):
            try:
                self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
                break
            except InsufficientPrivilege:
                # the server's own process tidies up in there, and nobody else may end it
                time.sleep(1)
        else:
            self._execute("DROP DATABASE IF EXISTS {}", name)
        shutil.rmtree(self.filestore / name, ignore_errors=True)

    def touch(self, name):
        """Note that the database is in use now, for :meth:`names`."""
        now = datetime.now(timezone.utc).isoformat()
        self._execute(f"COMMENT ON DATABASE {{}} IS '{now}'", name)

    def installed(self, name, modules):
        """Tell whether all ``modules`` are installed in the database ``name``."""
        with self.connection.cursor(name) as cursor:
            cursor.execute(
                "SELECT count(*) FROM ir_module_module"
                " WHERE state = 'installed' AND name = ANY(%s)",
                [list(modules)],
            )
            return cursor.fetchone() == (len(modules),)

    def _execute(self, statement, *names):
        with self.connection.cursor() as cursor:
            cursor.execute(statement.format(*(quote_ident(name, cursor) for name in names)))
