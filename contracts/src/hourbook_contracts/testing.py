"""Messages to test with: builders for one by hand, strategies for any at random.

One ticket, one agent, one Kimai; 15 means 15 minutes.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from hourbook_contracts.control import MappingKind, MappingSet, TargetConfigured
from hourbook_contracts.ids import BookId, EntryId, SheetId, SubjectId, posting_of, sheet_of
from hourbook_contracts.installation import Policy, Target
from hourbook_contracts.ledger import (
    Candidate,
    Choice,
    ConflictOpened,
    ConflictResolved,
    EntryRecorded,
    EntryRetracted,
    Inputs,
    LedgerMessage,
    Operation,
    Place,
    Placement,
    PushRefused,
    Settled,
    TicketAttributes,
    TicketObserved,
    TimesheetObserved,
    TimesheetRequested,
    TimesheetVanished,
    TimesheetWritten,
    Work,
)

BOOK = BookId("zammad:desk:344")
ENTRY = EntryId("zammad:desk:72")
POSTING = posting_of(BOOK, ENTRY)
SHEET = sheet_of("hours", 41)
NOON = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
TICKET = TicketAttributes(number="65001", organization_id=2, customer_id=26, group_id=1)
OTHERS = TicketAttributes(number="65001", organization_id=3, customer_id=31, group_id=1)
"""The same ticket, given to a customer of another organization."""
PLACE = Place(target="hours", user_id=5, project_id=7, activity_id=9)
INPUTS = Inputs(
    agent_id=3,
    activity_type_id=4,
    organization_id=2,
    customer_id=26,
    created_at=NOON,
    seconds_per_unit=60,
)


def mapping(kind: MappingKind, key: str, target_id: int, zone: str | None = None) -> MappingSet:
    return MappingSet(
        observed_at=NOON,
        by="test",
        mapping=f"{kind}-{key}",
        kind=kind,
        source="desk",
        source_key=key,
        target="hours",
        target_id=target_id,
        time_zone=zone,
    )


MAPPINGS = (
    mapping("worker", "3", PLACE.user_id, "Europe/Berlin"),
    mapping("customer", "organization:2", PLACE.project_id),
    mapping("activity", "4", PLACE.activity_id),
)


def policy(
    *mappings: MappingSet, version: int = 1, writing: bool = True, step_seconds: int = 60
) -> Policy:
    """What the tests decide by; without mappings, those under which `recorded()` has a place."""
    configured = TargetConfigured(
        observed_at=NOON,
        by="test",
        connection="hours",
        base_url="http://127.0.0.1:1",
        secret_version=1,
        placement_step_seconds=step_seconds,
    )
    return Policy(
        version=version,
        targets={"hours": Target(configured, writing=writing)},
        mappings={(m.kind, m.source, m.source_key): m for m in mappings or MAPPINGS},
    )


def work(minutes: int = 15, *, place: Place | None = PLACE, made: datetime = NOON) -> Work:
    """What plan makes of an entry of that length made at that (whole) minute."""
    return Work(
        place=place, began_at=made - timedelta(minutes=minutes), duration_seconds=minutes * 60
    )


def recorded(
    minutes: int = 15,
    *,
    no: int = 1,
    entry: EntryId = ENTRY,
    activity_type_id: int | None = 4,
    agent_id: int = 3,
    made: datetime = NOON,
    ticket: TicketAttributes = TICKET,
) -> EntryRecorded:
    return EntryRecorded(
        book=BOOK,
        connection="desk",
        observed_at=made,
        entry=entry,
        no=no,
        agent_id=agent_id,
        raw_units=f"{minutes}.0",
        seconds_per_unit=60,
        duration_seconds=minutes * 60,
        activity_type_id=activity_type_id,
        created_at=made,
        updated_at=made,
        ticket=ticket,
    )


def retracted(*, no: int = 2, entry: EntryId = ENTRY) -> EntryRetracted:
    return EntryRetracted(book=BOOK, connection="desk", observed_at=NOON, entry=entry, no=no)


def ticket_observed(
    *,
    no: int = 1,
    ticket: TicketAttributes = TICKET,
    merged_into: BookId | None = None,
    merged_number: str | None = None,
) -> TicketObserved:
    return TicketObserved(
        book=BOOK,
        connection="desk",
        observed_at=NOON,
        no=no,
        ticket=ticket,
        merged_into=merged_into,
        merged_number=merged_number,
    )


def observed(
    minutes: int = 15,
    *,
    no: int = 1,
    sheet: SheetId = SHEET,
    locked: bool = False,
    marker: str | None = None,
) -> TimesheetObserved:
    return TimesheetObserved(
        book=BOOK,
        connection="hours",
        observed_at=NOON,
        sheet=sheet,
        no=no,
        work=work(minutes),
        locked=locked,
        marker=marker,
    )


def vanished(*, no: int = 2, sheet: SheetId = SHEET) -> TimesheetVanished:
    return TimesheetVanished(book=BOOK, connection="hours", observed_at=NOON, sheet=sheet, no=no)


def requested(
    minutes: int | None = 15,
    *,
    gen: int = 1,
    op: Operation = "create",
    expected: Work | None = None,
    sheet: SheetId | None = None,
    policy: int = 1,
) -> TimesheetRequested:
    return TimesheetRequested(
        book=BOOK,
        connection="desk",
        observed_at=NOON,
        posting=POSTING,
        gen=gen,
        policy=policy,
        op=op,
        sheet=sheet,
        expected=expected,
        want=None if minutes is None else work(minutes),
        inputs=INPUTS,
        placement=Placement(time_zone="Europe/Berlin", step_seconds=60),
    )


def written(
    asked: int | None = 15,
    *,
    stored: int | None = None,
    gen: int = 1,
    no: int = 1,
    sheet: SheetId = SHEET,
    sure: bool = True,
) -> TimesheetWritten:
    """`stored` is what Kimai made of it: the same where nothing else is said."""
    held = asked if stored is None else stored
    return TimesheetWritten(
        book=BOOK,
        connection="hours",
        observed_at=NOON,
        posting=POSTING,
        gen=gen,
        no=no,
        sheet=sheet,
        asked=None if asked is None else work(asked),
        stored=None if held is None or asked is None else work(held),
        sure=sure,
    )


def refused(
    why: str,
    *,
    gen: int = 1,
    no: int = 1,
    held: Work | None = None,
    locked: bool = False,
    candidates: tuple[Candidate, ...] = (),
) -> PushRefused:
    return PushRefused(
        book=BOOK,
        connection="hours",
        observed_at=NOON,
        posting=POSTING,
        gen=gen,
        no=no,
        why=why,
        sheet=SHEET if held is not None else None,
        held=held,
        locked=locked,
        candidates=candidates,
    )


def conflict(
    reason: str,
    *,
    gen: int = 1,
    want: Work | None = None,
    held: Work | None = None,
    candidates: tuple[Candidate, ...] = (),
) -> ConflictOpened:
    return ConflictOpened(
        book=BOOK,
        connection="desk",
        observed_at=NOON,
        posting=POSTING,
        gen=gen,
        policy=1,
        reason=reason,
        want=want,
        held=held,
        candidates=candidates,
    )


def settled(*, gen: int = 1, posting: SubjectId = POSTING) -> Settled:
    return Settled(
        book=BOOK, connection="desk", observed_at=NOON, posting=posting, gen=gen, policy=1
    )


def resolved(question: ConflictOpened, choice: Choice) -> ConflictResolved:
    """A person's answer to this question, about the values it shows."""
    return ConflictResolved(
        book=BOOK,
        connection="desk",
        observed_at=NOON,
        posting=question.posting,
        gen=question.gen,
        choice=choice,
        want=question.want,
        held=question.held,
        candidates=question.candidates,
        by="test",
    )


minutes = st.sampled_from([5, 15, 30, 45])
numbers = st.integers(1, 9)
generations = st.integers(1, 5)
works = st.one_of(st.none(), minutes.map(work))
messages: st.SearchStrategy[LedgerMessage] = st.one_of(
    st.builds(recorded, minutes, no=numbers),
    st.builds(
        recorded,
        st.sampled_from([-15, -5, 15]),
        no=numbers,
        entry=st.just(EntryId("zammad:desk:73")),
    ),
    st.builds(retracted, no=numbers),
    st.builds(ticket_observed, no=numbers, ticket=st.sampled_from([TICKET, TICKET, OTHERS])),
    st.builds(observed, minutes, no=numbers, locked=st.booleans()),
    st.builds(vanished, no=numbers),
    st.builds(written, minutes, stored=minutes, gen=generations, no=numbers, sure=st.booleans()),
    st.builds(
        refused,
        st.sampled_from(["changed", "gone", "locked", "unclear", "invalid", "overlap"]),
        gen=generations,
        no=numbers,
        held=works,
    ),
    st.builds(requested, minutes, gen=generations),
    st.builds(conflict, st.just("changed_in_kimai"), gen=generations, want=works, held=works),
    st.builds(settled, gen=generations),
    st.builds(
        resolved,
        st.builds(conflict, st.just("changed_in_kimai"), gen=generations, want=works, held=works),
        st.sampled_from(["zammad", "kimai"]),
    ),
)
histories = st.lists(messages, max_size=14)
"""Messages of one book in any order, with any numbers: more than a real ledger can hold."""
