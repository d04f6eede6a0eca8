"""Files that are kept: intake, access, quotas and removal."""
