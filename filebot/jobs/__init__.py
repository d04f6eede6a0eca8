"""Jobs of plugins: the worker that does them, schedules, and payloads as JSON."""
