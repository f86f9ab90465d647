"""Endpoints of everything but timesheets: status, users, catalogue, tags (kimai-api.md 2)."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from hourbook_simulators.kimai import catalogue
from hourbook_simulators.kimai.answers import answer, nothing
from hourbook_simulators.kimai.asking import found, query_of, submitted_of
from hourbook_simulators.kimai.catalogue_shapes import (
    activity_row,
    customer_entity,
    project_row,
    tag_row,
)
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import Caller
from hourbook_simulators.kimai.refusals import masked
from hourbook_simulators.kimai.settings import is_on
from hourbook_simulators.kimai.teams import Restricted, reaches
from hourbook_simulators.kimai.user_shapes import user_entity

VERSION = {
    "version": "2.66.0",
    "versionId": 26600,
    "copyright": "Kimai 2.66.0 by Kevin Papst.",
}


class CatalogueApi:
    """One method an endpoint; who calls was found out before."""

    def __init__(self, memory: Memory, now: Callable[[], datetime]) -> None:
        self.memory = memory
        self.now = now

    # Status and configuration

    async def ping(self, _: Request, __: Caller) -> Response:
        return answer({"message": "pong"})

    async def version(self, _: Request, __: Caller) -> Response:
        return answer(VERSION)

    async def plugins(self, _: Request, __: Caller) -> Response:
        return answer([])

    async def config(self, _: Request, __: Caller) -> Response:
        setting = self.memory.setting
        rule = "timesheet.rules."
        return answer(
            {
                "trackingMode": setting("timesheet.mode"),
                "defaultBeginTime": setting("timesheet.default_begin"),
                "activeEntriesHardLimit": int(setting("timesheet.active_entries.hard_limit")),
                "isAllowFutureTimes": is_on(setting(rule + "allow_future_times")),
                "isAllowOverlapping": is_on(setting(rule + "allow_overlapping_records")),
            }
        )

    # Users, customers, projects, activities, tags

    async def users(self, request: Request, caller: Caller) -> Response:
        return answer(catalogue.users(query_of(request, catalogue.USERS), self.memory, caller))

    async def me(self, _: Request, caller: Caller) -> Response:
        return answer(user_entity(self.memory.users[caller.user_id], self.memory, caller))

    async def user(self, request: Request, caller: Caller) -> Response:
        user = found(self.memory.users, request)
        if user.id != caller.user_id and not caller.may("view_other_profile"):
            raise masked(403)
        return answer(user_entity(user, self.memory, caller))

    async def customers(self, request: Request, caller: Caller) -> Response:
        query = query_of(request, catalogue.CUSTOMERS)
        return answer(catalogue.customers(query, self.memory, caller))

    async def customer(self, request: Request, caller: Caller) -> Response:
        customer = found(self.memory.customers, request)
        self._check_view(caller, "customer", customer)
        return answer(customer_entity(customer, self.memory, caller))

    async def projects(self, request: Request, caller: Caller) -> Response:
        query = query_of(request, catalogue.PROJECTS)
        return answer(catalogue.projects(query, self.memory, caller, self.now()))

    async def project(self, request: Request, caller: Caller) -> Response:
        project = found(self.memory.projects, request)
        self._check_view(caller, "project", project)
        return answer(project_row(project, self.memory, caller))

    async def activities(self, request: Request, caller: Caller) -> Response:
        query = query_of(request, catalogue.ACTIVITIES)
        return answer(catalogue.activities(query, self.memory, caller))

    async def activity(self, request: Request, caller: Caller) -> Response:
        activity = found(self.memory.activities, request)
        self._check_view(caller, "activity", activity)
        return answer(activity_row(activity, self.memory, caller))

    def _check_view(self, caller: Caller, kind: str, record: Restricted) -> None:
        """A teamlead sees those of the teams they lead; to list them is another matter (2.3)."""
        leads = not caller.leads.isdisjoint(record.team_ids)
        may = caller.may(f"view_{kind}") or (leads and caller.may(f"view_teamlead_{kind}"))
        if not may or not reaches(caller, record):
            raise masked(403)

    async def create_in_catalogue(self, request: Request, caller: Caller) -> Response:
        """Hourbook must not, and is told so; others use /_twin."""
        kinds = {"customers": "customer", "projects": "project", "activities": "activity"}
        kind = kinds[request.url.path.rpartition("/")[2]]
        raise masked(501 if caller.may(f"create_{kind}") else 403)

    async def tag_names(self, request: Request, _: Caller) -> Response:
        part = request.query_params.get("name", "")
        return answer([tag.name for tag in catalogue.tags(self.memory, part)])

    async def find_tags(self, request: Request, _: Caller) -> Response:
        part = request.query_params.get("name")
        found = [] if part is None else catalogue.tags(self.memory, part)
        return answer([tag_row(tag) for tag in found])

    async def create_tag(self, request: Request, caller: Caller) -> Response:
        tag = catalogue.create_tag(self.memory, caller, await submitted_of(request))
        return answer(tag_row(tag))

    async def delete_tag(self, request: Request, caller: Caller) -> Response:
        catalogue.delete_tag(self.memory, caller, found(self.memory.tags, request))
        return nothing()
