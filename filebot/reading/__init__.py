"""Reading of what people type: pure logic, with a table of words for each language."""
