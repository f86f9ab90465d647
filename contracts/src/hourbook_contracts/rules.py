"""Where an hour belongs, by the mappings: one function, for whoever decides it and whoever previews it.

Pure. First match wins, and the rules that were tried are part of the answer.
"""

from functools import lru_cache

from hourbook_contracts.installation import Policy
from hourbook_contracts.ledger import Inputs, Place, RuleTried
from hourbook_contracts.reasons import Reason


def mapped(
    inputs: Inputs, policy: Policy, source: str
) -> tuple[Place | None, tuple[RuleTried, ...], Reason | None]:
    """The place by today's rules, every rule that was tried, and the first that is missing."""
    tried: list[RuleTried] = []

    def first(kind: str, *keys: str) -> tuple[str, int] | None:
        for key in keys:
            found = policy.mappings.get((kind, source, key))
            tried.append(_tried(kind, key, found.mapping if found else None))
            if found:
                return found.target, found.target_id
        return None

    worker = first("worker", str(inputs.agent_id))
    project = first("customer", *customer_keys(inputs))
    activity = first("activity", activity_key(inputs))
    target = project[0] if project else None
    if worker is None or (target and worker[0] != target):
        return None, tuple(tried), Reason.UNMAPPED_WORKER
    if project is None:
        return None, tuple(tried), Reason.UNMAPPED_CUSTOMER
    if activity is None or activity[0] != project[0]:
        return None, tuple(tried), Reason.UNMAPPED_ACTIVITY
    return _place(project[0], worker[1], project[1], activity[1]), tuple(tried), None


def project_of(inputs: Inputs, policy: Policy, source: str) -> tuple[str, int] | None:
    """The Kimai and the project there."""
    for key in customer_keys(inputs):
        found = policy.mappings.get(("customer", source, key))
        if found:
            return found.target, found.target_id
    return None


def customer_keys(inputs: Inputs) -> list[str]:
    """In the order they are tried."""
    keys = []
    if inputs.organization_id is not None:
        keys.append(f"organization:{inputs.organization_id}")
    if inputs.customer_id is not None:
        keys.append(f"customer:{inputs.customer_id}")
    return [*keys, "default"]


def activity_key(inputs: Inputs) -> str:
    return "none" if inputs.activity_type_id is None else str(inputs.activity_type_id)


@lru_cache(maxsize=4096)  # a few, which are looked up again for every posting
def _tried(kind: str, key: str, mapping: str | None) -> RuleTried:
    return RuleTried(kind=kind, key=key, mapping=mapping)


@lru_cache(maxsize=4096)
def _place(target: str, user_id: int, project_id: int, activity_id: int) -> Place:
    return Place(target=target, user_id=user_id, project_id=project_id, activity_id=activity_id)
