"""Several servers over one PostgreSQL database: who lives, who owns a session, and how it is reached.

Correctness does not depend on anything here: it is the epoch of a sitting (``records/ownership.py``) that
keeps two servers from writing one record. This package decides when a server may claim what another one
had, and forwards requests so that any server may be asked about any session.
"""
