"""How stages are run: all that knows Prefect. It computes no result and is in no cache key."""
