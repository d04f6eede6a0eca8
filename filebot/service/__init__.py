"""Policy: what is kept, for whom, how much, and who may do what to it. Speaks to the rim only by ports."""
