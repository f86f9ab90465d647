"""Zammad's own language, pure: what two services must understand of it alike."""
