"""Files on their way out: routes, queue and attempts."""
