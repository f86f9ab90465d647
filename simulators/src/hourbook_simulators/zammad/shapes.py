"""Records as Zammad's JSON: plain, with ids, expanded with names, a webhook's (zammad-api.md 2.1, 3.1, 4.3). Pure."""

from typing import Any

from hourbook_simulators.zammad import units
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.records import (
    ADMIN,
    ARTICLE_TYPES,
    BY_AGENT,
    CUSTOMER,
    NOTE,
    PRIORITIES,
    ROLES,
    SENDERS,
    STATE_TYPES,
    STATES,
    ActivityType,
    Article,
    Group,
    Organization,
    Ticket,
    TimeAccounting,
    User,
)

Row = dict[str, Any]

_UNUSED_TICKET: Row = dict.fromkeys(
    (
        "first_response_at",
        "first_response_escalation_at",
        "first_response_in_min",
        "first_response_diff_in_min",
        "close_at",
        "close_escalation_at",
        "close_in_min",
        "close_diff_in_min",
        "update_escalation_at",
        "update_in_min",
        "update_diff_in_min",
        "last_close_at",
        "last_contact_at",
        "last_contact_agent_at",
        "last_contact_customer_at",
        "last_owner_update_at",
    )
)
_UNUSED_USER: Row = {
    "image": None,
    "image_source": None,
    **dict.fromkeys(("web", "phone", "fax", "mobile", "department", "street"), ""),
    **dict.fromkeys(("zip", "city", "country", "address", "note"), ""),
    "vip": False,
    "verified": False,
    "last_login": None,
    "source": None,
    "login_failed": 0,
    "out_of_office": False,
    "out_of_office_start_at": None,
    "out_of_office_end_at": None,
    "out_of_office_replacement_id": None,
    "preferences": {},
}
SEEDED_AT = "2024-01-01T00:00:00.000Z"
LINK_TYPES = {"normal": 1, "parent": 2, "child": 3}
_NOT_IN_A_WEBHOOK = ("last_login", "login_failed", "preferences", "group_ids", "authorization_ids")


def accounting(entry: TimeAccounting) -> Row:
    return {
        "id": entry.id,
        "ticket_id": entry.ticket_id,
        "ticket_article_id": entry.ticket_article_id,
        "time_unit": units.text(entry.time_unit),
        "type_id": entry.type_id,
        "created_by_id": entry.created_by_id,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }


def accounting_expanded(memory: Memory, entry: TimeAccounting) -> Row:
    row = accounting(entry) | {"created_by": memory.books.users[entry.created_by_id].login}
    if entry.type_id is not None:
        row["type"] = memory.books.types[entry.type_id].name
    return row


def ticket(memory: Memory, one: Ticket) -> Row:
    """Database columns only; checklists came with 6.4."""
    return {
        "id": one.id,
        "group_id": one.group_id,
        "priority_id": one.priority_id,
        "state_id": one.state_id,
        "organization_id": one.organization_id,
        "number": one.number,
        "title": one.title,
        "owner_id": one.owner_id,
        "customer_id": one.customer_id,
        "note": one.note,
        **_UNUSED_TICKET,
        "create_article_type_id": NOTE,
        "create_article_sender_id": BY_AGENT,
        "article_count": one.article_count,
        "escalation_at": None,
        "pending_time": None,
        "type": one.type,
        "time_unit": None if one.time_unit is None else units.text(one.time_unit),
        "preferences": one.preferences,
        **({} if memory.is_before(6, 4) else {"checklist_id": None}),
        "updated_by_id": one.updated_by_id,
        "created_by_id": one.created_by_id,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }


def ticket_with_ids(memory: Memory, one: Ticket) -> Row:
    return ticket(memory, one) | {
        "article_ids": list(memory.articles_of.get(one.id, ())),
        "ticket_time_accounting_ids": list(memory.entries_of.get(one.id, ())),
    }


def ticket_expanded(memory: Memory, one: Ticket) -> Row:
    """Names beside the ids; what is null has none, and an empty relation is there as `[]` (3.1)."""
    books = memory.books
    row = ticket_with_ids(memory, one)
    row |= {
        "group": books.groups[one.group_id].name,
        "state": STATES[one.state_id],
        "priority": PRIORITIES[one.priority_id],
        "owner": books.users[one.owner_id].login,
        "customer": books.users[one.customer_id].login,
        "created_by": books.users[one.created_by_id].login,
        "updated_by": books.users[one.updated_by_id].login,
        "create_article_type": ARTICLE_TYPES[NOTE],
        "create_article_sender": SENDERS[BY_AGENT],
    }
    if one.organization_id is not None:
        row["organization"] = books.organizations[one.organization_id].name
    if not row["ticket_time_accounting_ids"]:
        row["ticket_time_accounting"] = []
    if not row["article_ids"]:
        row["articles"] = []
    return row


def article(memory: Memory, one: Article) -> Row:
    author = memory.books.users[one.created_by_id].login
    entry = memory.entry_of_article.get(one.id)
    unused = ("to", "cc", "reply_to", "message_id", "message_id_md5", "in_reply_to", "references")
    return {
        "id": one.id,
        "ticket_id": one.ticket_id,
        "type_id": one.type_id,
        "sender_id": one.sender_id,
        "from": one.author,
        "subject": one.subject,
        **dict.fromkeys(unused),
        "content_type": "text/plain",
        "body": one.body,
        "internal": one.internal,
        "preferences": {},
        "updated_by_id": one.created_by_id,
        "created_by_id": one.created_by_id,
        "origin_by_id": None,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "attachments": [],
        "created_by": author,
        "updated_by": author,
        "type": ARTICLE_TYPES[one.type_id],
        "sender": SENDERS[one.sender_id],
        "time_unit": None if entry is None else units.text(entry.time_unit),
    }


def user(one: User) -> Row:
    return {
        "id": one.id,
        "organization_id": one.organization_id,
        "login": one.login,
        "firstname": one.firstname,
        "lastname": one.lastname,
        "email": one.email,
        **_UNUSED_USER,
        "active": one.active,
        "updated_by_id": 1,
        "created_by_id": 1,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "role_ids": one.role_ids,
        "two_factor_preference_ids": [],
        "organization_ids": [],
        "authorization_ids": [],
        "overview_sorting_ids": [],
        "group_ids": one.group_access,
    }


def user_expanded(memory: Memory, one: User) -> Row:
    books = memory.books
    row = user(one) | {
        "roles": [ROLES[role][0] for role in one.role_ids],
        "groups": {books.groups[group].name: given for group, given in one.group_access.items()},
        "created_by": "-",
        "updated_by": "-",
    }
    if one.organization_id is not None:
        row["organization"] = books.organizations[one.organization_id].name
    return row


def organization(memory: Memory, one: Organization) -> Row:
    members = [user.id for user in memory.books.users.values() if user.organization_id == one.id]
    return {
        "id": one.id,
        "name": one.name,
        "shared": True,
        "domain": "",
        "domain_assignment": False,
        "active": one.active,
        "vip": False,
        "note": one.note,
        "updated_by_id": 1,
        "created_by_id": 1,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "member_ids": members,
        "secondary_member_ids": [],
    }


def group(memory: Memory, one: Group) -> Row:
    return {
        "id": one.id,
        "signature_id": None,
        "email_address_id": None,
        "name": one.name,
        "assignment_timeout": None,
        "follow_up_possible": "yes",
        "reopen_time_in_days": None,
        "follow_up_assignment": True,
        "active": one.active,
        "shared_drafts": True,
        "note": "",
        "updated_by_id": 1,
        "created_by_id": 1,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "name_last": one.name.rsplit("::", 1)[-1],
        "parent_id": None,
        "user_ids": [u.id for u in memory.books.users.values() if one.id in u.group_access],
    }


def activity_type(one: ActivityType) -> Row:
    return {
        "id": one.id,
        "name": one.name,
        "note": one.note,
        "active": one.active,
        "updated_by_id": one.updated_by_id,
        "created_by_id": one.created_by_id,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }


def state(number: int, name: str) -> Row:
    return {
        "id": number,
        "state_type_id": STATE_TYPES[number],
        "name": name,
        "next_state_id": None,
        "ignore_escalation": name in {"closed", "merged"},
        "default_create": name == "new",
        "default_follow_up": name == "open",
        "note": None,
        "active": True,
        "updated_by_id": 1,
        "created_by_id": 1,
        "created_at": SEEDED_AT,
        "updated_at": SEEDED_AT,
    }


def role(number: int) -> Row:
    return {
        "id": number,
        "name": ROLES[number][0],
        "preferences": {},
        "default_at_signup": number == CUSTOMER,
        "active": True,
        "note": "",
        "updated_by_id": 1,
        "created_by_id": 1,
        "created_at": SEEDED_AT,
        "updated_at": SEEDED_AT,
        "permission_ids": [number],
        "knowledge_base_permission_ids": [],
        "group_ids": {},
    }


def link(number: int, kind: str, source_id: int, target_id: int, at: str) -> Row:
    """Of tickets only; as somebody who just made it sees it."""
    return {
        "id": number,
        "link_type_id": LINK_TYPES[kind],
        "link_object_source_id": 1,
        "link_object_source_value": source_id,
        "link_object_target_id": 1,
        "link_object_target_value": target_id,
        "created_at": at,
        "updated_at": at,
    }


def setting(number: int, name: str, value: Any, initial: Any) -> Row:
    return {
        "id": number,
        "title": name,
        "name": name,
        "area": "Web::Base" if name.startswith("time_accounting") else "System::Base",
        "description": "",
        "options": {},
        "state_current": {"value": value},
        "state_initial": {"value": initial},
        "frontend": True,
        "preferences": {"permission": [setting_permission(name)]},
    }


def setting_permission(name: str) -> str:
    if name.startswith("time_accounting"):
        return "admin.time_accounting"
    return "admin.api" if name.startswith("api_") else "admin.system"


def is_admin(one: User) -> bool:
    return ADMIN in one.role_ids


def webhook(memory: Memory, one: Ticket, about: Article | None) -> Row:
    """The default payload, from what holds now (0.5, 4.3)."""
    books = memory.books
    row = dict(sorted(ticket_expanded(memory, one).items()))
    for name in ("owner", "customer", "created_by", "updated_by"):
        row[name] = _webhook_user(memory, row[f"{name}_id"])
    row["priority"] = {"id": one.priority_id, "name": PRIORITIES[one.priority_id], "active": True}
    row["group"] = group(memory, books.groups[one.group_id])
    if one.organization_id is None:
        row["organization"] = {}
    else:
        row["organization"] = organization(memory, books.organizations[one.organization_id])
    return {"ticket": row, "article": {} if about is None else _webhook_article(memory, about)}


def _webhook_user(memory: Memory, user_id: int) -> Row:
    row = user_expanded(memory, memory.books.users[user_id])
    for name in (*_NOT_IN_A_WEBHOOK, "groups"):
        row.pop(name, None)
    return dict(sorted(row.items()))


def _webhook_article(memory: Memory, one: Article) -> Row:
    entry = memory.entry_of_article.get(one.id)
    row = dict(sorted(article(memory, one).items()))
    row["created_by"] = row["updated_by"] = _webhook_user(memory, one.created_by_id)
    return row | {"accounted_time": 0.0 if entry is None else float(entry.time_unit)}
