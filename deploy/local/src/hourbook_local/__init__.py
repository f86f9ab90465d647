"""The embedded stack of demo and tests: a real broker and a real database without Docker."""
