"""The media type of a file, told from its content."""
