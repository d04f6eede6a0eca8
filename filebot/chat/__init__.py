"""From a message to a command, and from an answer to words."""
