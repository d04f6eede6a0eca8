"""Parts of the catalog that only SQLite knows. Another database needs a package like this one."""
