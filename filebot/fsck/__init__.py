"""``filebot fsck``: every file against the catalog, and the catalog against itself.

``catalog_checks`` and ``blob_checks`` examine and, if asked to, mend; ``report`` keeps what was found;
``position`` remembers how far the files were read; ``command`` puts them together for the command line.

Beside a running bot it only reads, and what looks like a fault is looked at once more: a blob comes before
its row and goes after it, so a row whose blob is missing before and after the row was read is a fault.
"""
