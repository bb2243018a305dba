"""The development environment of Commerce Sync: a real Odoo 19 with PostgreSQL, in one folder.

The executables beside this package are thin; each one names a module of this package whose
``main`` it runs. Everything is prepared on first use and kept in the cache folder:

    launch      from the system's Python into the environment's own
    venv        the virtual environment with the pinned packages
    source      where Odoo 19 comes from
    debian      packages of Debian, unpacked without installing them
    postgres    the server: an existing one, or an embedded one
    database    creating, cloning and dropping databases with their attachments
    templates   prepared databases that others are cloned from
    workspace   what belongs to one checkout: the linked addon, its names
    environment all of it together, as the commands use it

``launch``, ``venv`` and what they import run before there is an environment: they use the
standard library only, and no syntax newer than Python 3.7.
"""
