"""The plugins of docs/plugins.md."""
