"""Downloads and uploads by HTTP."""
