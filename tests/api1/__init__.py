"""The examples of the first published version of the plugin API, as they were: they must go on to work."""
