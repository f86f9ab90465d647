"""Plays what a real Kimai was asked against the twin, and judges what the twin answers."""
