"""Messages of people: told apart into commands and files, bounded, and answered."""
