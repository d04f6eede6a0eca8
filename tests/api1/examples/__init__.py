"""The plugins of the folder ``examples``, with their tests."""
