"""What every connector promises, as tests: `pytest --connector path/to/connector.py` (docs/connectors.md)."""
