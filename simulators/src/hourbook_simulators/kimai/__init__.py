"""A twin of Kimai 2.66 with a memory, as far as Hourbook calls it (docs: kimai-api.md)."""
