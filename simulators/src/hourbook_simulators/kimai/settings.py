"""Kimai's system configuration by its own keys, and what holds where nobody set anything."""

from typing import Any

DEFAULTS: dict[str, Any] = {
    "timesheet.mode": "default",
    "timesheet.default_begin": "now",
    "timesheet.active_entries.hard_limit": 1,
    "timesheet.rounding.default.days": "monday,tuesday,wednesday,thursday,friday,saturday,sunday",
    "timesheet.rounding.default.mode": "default",
    "timesheet.rounding.default.begin": 1,
    "timesheet.rounding.default.end": 1,
    "timesheet.rounding.default.duration": 0,
    "timesheet.rules.allow_future_times": True,
    "timesheet.rules.allow_zero_duration": True,
    "timesheet.rules.allow_overlapping_records": True,
    "timesheet.rules.allow_overbooking_budget": True,
    "timesheet.rules.long_running_duration": 0,
    "timesheet.rules.break_time_active": False,
    "timesheet.rules.require_activity": True,
    "timesheet.rules.lockdown_period_start": None,
    "timesheet.rules.lockdown_period_end": None,
    "timesheet.rules.lockdown_period_timezone": None,
    "timesheet.rules.lockdown_grace_period": None,
}
"""kimai-api.md 3.4, 4; everything of `timesheet.rules.*` that a write is held to."""


def is_on(value: Any) -> bool:
    """Kimai keeps settings as strings: "0" and "" are off."""
    return value not in {None, False, "", "0", "false"}  # False is also 0
