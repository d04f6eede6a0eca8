"""Protocol machines and parsers: values in, values out; no I/O, no clock, no logging."""
