"""Commands of plugins as forms: fields from their declarations, arguments from what is filled in."""
