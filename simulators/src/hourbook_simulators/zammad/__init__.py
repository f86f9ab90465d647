"""A twin of Zammad 6.5 with a memory, as far as Hourbook calls it (docs: zammad-api.md)."""
