"""Parts of the catalog that only SQLite knows. Another database has a package like this one."""
