"""Functions and triggers that keep the sums of entries, attachments and jobs.

SQLite's triggers run between the rows of a statement; here only those BEFORE a row see the rows that the
same statement has changed already. So the entries are counted BEFORE. All others with the same bytes are
compared, never the row itself, and so it makes no difference whether that is there.
"""

from collections.abc import Iterator
from typing import Final

_ADD: Final = """
CREATE FUNCTION add_to_sum(a_kind text, a_key text, some_files int, some_bytes bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sums (kind, key, files, used_bytes) VALUES (a_kind, a_key, some_files, some_bytes)
    ON CONFLICT (kind, key) DO UPDATE
    SET files = sums.files + excluded.files, used_bytes = sums.used_bytes + excluded.used_bytes;
    DELETE FROM sums WHERE kind = a_kind AND key = a_key AND files = 0;
END $$
"""

# The same bytes count once, with the largest weight that an entry gives them.
_OWN_BYTES: Final = """
CREATE FUNCTION bytes_of_{column}(e entries) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE others bigint;
BEGIN
    SELECT coalesce(max(weight), 0) INTO others FROM entries
    WHERE {column} = e.{column} AND digest = e.digest AND id <> e.id;
    RETURN e.size * greatest(e.weight, others) / 100 - e.size * others / 100
        + e.attached_bytes * e.weight / 100;
END $$
"""

_ALL_BYTES: Final = """
CREATE FUNCTION bytes_of_all(e entries) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM entries WHERE digest = e.digest AND id <> e.id) THEN
        RETURN e.attached_bytes;
    END IF;
    RETURN e.size + e.attached_bytes;
END $$
"""

_ENTRY_LESS: Final = """
    PERFORM add_to_sum('owner', old.owner, -1, -bytes_of_owner(old));
    PERFORM add_to_sum('scope', old.scope, -1, -bytes_of_scope(old));
    PERFORM add_to_sum('all', '', -1, -bytes_of_all(old));
"""
_ENTRY_MORE: Final = """
    PERFORM add_to_sum('owner', new.owner, 1, bytes_of_owner(new));
    PERFORM add_to_sum('scope', new.scope, 1, bytes_of_scope(new));
    PERFORM add_to_sum('all', '', 1, bytes_of_all(new));
"""
_OF_ENTRIES: Final = {
    "entry_added BEFORE INSERT": f"{_ENTRY_MORE} RETURN new;",
    "entry_removed BEFORE DELETE": f"{_ENTRY_LESS} RETURN old;",
    "entry_changed BEFORE UPDATE OF owner, scope, weight, attached_bytes": (
        f"{_ENTRY_LESS} {_ENTRY_MORE} RETURN new;"
    ),
}

_ATTACH: Final = "UPDATE entries SET attached_bytes = attached_bytes + {} WHERE id = {}.entry_id;"
_FREE: Final = "INSERT INTO freed_blobs VALUES (old.digest) ON CONFLICT DO NOTHING;"
_OF_ATTACHMENTS: Final = {
    "attachment_added AFTER INSERT": f"{_ATTACH.format('new.size', 'new')} RETURN NULL;",
    "attachment_changed AFTER UPDATE OF size": (
        f"{_ATTACH.format('new.size - old.size', 'new')} RETURN NULL;"
    ),
    "attachment_removed AFTER DELETE": (f"{_ATTACH.format('-old.size', 'old')} {_FREE} RETURN NULL;"),
}

# A trigger BEFORE would count a job that is not added, as there is one of its key.
_OF_JOBS: Final = {
    "job_added AFTER INSERT": """
        INSERT INTO job_sums (plugin, jobs, used_bytes) VALUES (new.plugin, 1, octet_length(new.payload))
        ON CONFLICT (plugin) DO UPDATE
        SET jobs = job_sums.jobs + 1, used_bytes = job_sums.used_bytes + excluded.used_bytes;
        RETURN NULL;""",
    "job_removed AFTER DELETE": """
        UPDATE job_sums SET jobs = jobs - 1, used_bytes = used_bytes - octet_length(old.payload)
        WHERE plugin = old.plugin;
        DELETE FROM job_sums WHERE plugin = old.plugin AND jobs = 0;
        RETURN NULL;""",
}


def statements() -> Iterator[str]:
    """Yield the statements that make them all."""
    yield _ADD
    yield from (_OWN_BYTES.format(column=column) for column in ("owner", "scope"))
    yield _ALL_BYTES
    for table, triggers in (("entries", _OF_ENTRIES), ("attachments", _OF_ATTACHMENTS), ("jobs", _OF_JOBS)):
        for header, body in triggers.items():
            name = header.split(maxsplit=1)[0]
            yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
            yield f"CREATE TRIGGER {header} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
