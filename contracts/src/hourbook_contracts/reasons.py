"""Why a person has to look. An enum in code, an open string on the wire."""

from enum import StrEnum


class Reason(StrEnum):
    UNMAPPED_WORKER = "unmapped_worker"
    UNMAPPED_CUSTOMER = "unmapped_customer"
    UNMAPPED_ACTIVITY = "unmapped_activity"
    CUSTOMER_CHANGED = "customer_changed"
    DELETED_IN_KIMAI = "deleted_in_kimai"
    CHANGED_IN_KIMAI = "changed_in_kimai"
    CHANGED_ON_BOTH_SIDES = "changed_on_both_sides"
    LOCKED_IN_KIMAI = "locked_in_kimai"
    RETRACTED_AFTER_EXPORT = "retracted_after_export"
    CLOSED_PERIOD = "closed_period"
    LOCKDOWN_IN_KIMAI = "lockdown_in_kimai"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    DUPLICATE_IN_KIMAI = "duplicate_in_kimai"
    ORPHAN_IN_KIMAI = "orphan_in_kimai"
    REFUSED_BY_KIMAI = "refused_by_kimai"
    MISSING_PERMISSION = "missing_permission"
    OVERLAP = "overlap"
    DAY_FULL = "day_full"
    PROJECT_CLOSED = "project_closed"
    BUDGET_USED = "budget_used"
    UNIT_UNCONFIRMED = "unit_unconfirmed"
    NEGATIVE_BALANCE = "negative_balance"


REASON_OF_REFUSAL = {
    "closed": Reason.CLOSED_PERIOD,
    "lockdown": Reason.LOCKDOWN_IN_KIMAI,
    "invalid": Reason.REFUSED_BY_KIMAI,
    "possible_duplicate": Reason.POSSIBLE_DUPLICATE,
    "missing_permission": Reason.MISSING_PERMISSION,
    "overlap": Reason.OVERLAP,
    "day_full": Reason.DAY_FULL,
    "project_closed": Reason.PROJECT_CLOSED,
    "budget_used": Reason.BUDGET_USED,
}
"""A refusal that is remembered, and the question it becomes; any other is `refused_by_kimai`."""
