"""The installation: what the control topic adds up to, folded by every service for itself.

Pure. `learn` is given each control event with its offset, in order; the policy's version is the
offset after the last event that changed it, one number for the installation.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from hourbook_contracts.control import (
    POLICY_TYPES,
    UNIT_CHANGED,
    AlarmAnswered,
    AlarmRaised,
    BackfillRequested,
    ConnectionRemoved,
    ControlEvent,
    MappingRemoved,
    MappingSet,
    PeriodClosed,
    PeriodReopened,
    SourceConfigured,
    SyncRequested,
    TargetConfigured,
    TargetLearned,
    UnitConfirmed,
    WritesReleased,
    WritingSwitched,
)
from hourbook_contracts.ids import BookId, EntryId, book_of, entry_of
from hourbook_contracts.privacy import PersonErased, RetentionSet, user_of


@dataclass(frozen=True, slots=True)
class Backfill:
    """All tickets with time of these days, in the source's zone, are to be read again."""

    id: int
    """Offset of its `BackfillRequested`, + 1."""
    requested: BackfillRequested

    @property
    def days(self) -> tuple[date, date]:
        return self.requested.first_on, self.requested.last_on


@dataclass(frozen=True, slots=True)
class Source:
    """A Zammad or another source: its configuration, its confirmed units by date, its open alarms."""

    configured: SourceConfigured
    units: tuple[UnitConfirmed, ...] = ()
    alarms: tuple[AlarmRaised, ...] = ()
    answered: tuple[AlarmAnswered, ...] = ()
    sync_asked: int = 0
    """Offset of the last `SyncRequested`, + 1."""
    sweep_asked: int = 0
    backfills: tuple[Backfill, ...] = ()

    @property
    def name(self) -> str:
        return self.configured.connection

    def book(self, ticket_id: int) -> BookId:
        return book_of(self.name, ticket_id, self.configured.kind)

    def entry(self, booking_id: int) -> EntryId:
        return entry_of(self.name, booking_id, self.configured.kind)

    def user(self, user_id: int) -> str:
        """The identity of an agent or customer (privacy.py)."""
        return user_of(self.name, user_id, self.configured.kind)

    def unit(self, made: datetime) -> UnitConfirmed | None:
        """In force for an entry made then; None while no person has confirmed any."""
        in_force = [unit for unit in self.units if unit.effective_from <= made]
        return (in_force or self.units[:1])[-1] if self.units else None

    def seconds_per_unit(self, made: datetime) -> int | None:
        """In force for an entry made then; None while a person is still to say which is."""
        if any(alarm.alarm == UNIT_CHANGED and _holds(alarm, made) for alarm in self.alarms):
            return None
        unit = self.unit(made)
        return unit.seconds_per_unit if unit else None


def _holds(alarm: AlarmRaised, made: datetime) -> bool:
    return alarm.since is None or alarm.since <= made


@dataclass(frozen=True, slots=True)
class Target:
    """A Kimai: its configuration, whether and from when it is written to, its closed days."""

    configured: TargetConfigured
    writing: bool = False
    start_on: date | None = None
    closed: tuple[tuple[date, date], ...] = ()
    released: int = 0
    """Offset of the last `WritesReleased`, + 1."""
    sync_asked: int = 0
    sweep_asked: int = 0
    learned: TargetLearned | None = None
    alarms: tuple[AlarmRaised, ...] = ()
    answered: tuple[AlarmAnswered, ...] = ()

    @property
    def name(self) -> str:
        return self.configured.connection

    @property
    def packs(self) -> bool:
        """Whether push chooses begins, because this Kimai forbids overlap."""
        return self.learned is not None and not self.learned.allows_overlap

    @property
    def step_seconds(self) -> int:
        """To which begins are placed: what an administrator set, or more where Kimai rounds to more."""
        learned = self.learned.step_seconds if self.learned else 1
        return max(self.configured.placement_step_seconds, learned)

    def is_closed(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.closed)

    def may_write(self, day: date) -> bool:
        """Promise 10: nothing until somebody switched it on, nothing older than its start date."""
        return self.writing and (self.start_on is None or day >= self.start_on)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the reconciler decides by; never enters the fold of a book."""

    version: int = 0
    targets: dict[str, Target] = field(default_factory=dict)
    mappings: dict[tuple[str, str, str], MappingSet] = field(default_factory=dict)
    """By (kind, source connection, source key)."""
    _zones: dict[tuple[str, int], str] = field(init=False, repr=False, compare=False)
    """By target connection and user there: asked several times for every posting of a book."""

    def __post_init__(self) -> None:
        zones: dict[tuple[str, int], str] = {}
        for mapping in self.mappings.values():
            if mapping.kind == "worker":
                zones.setdefault((mapping.target, mapping.target_id), mapping.time_zone or "UTC")
        object.__setattr__(self, "_zones", zones)

    def zone_of(self, target: str, user_id: int) -> ZoneInfo:
        """The zone in which this Kimai user's days begin; UTC for a user nobody is mapped to."""
        return ZoneInfo(self._zones.get((target, user_id), "UTC"))


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything people have set, as of an offset of the control topic."""

    offset: int = 0
    sources: dict[str, Source] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    erased: frozenset[str] = frozenset()
    """Identities of people who are forgotten (privacy.py): their names and texts are kept nowhere."""
    retention: dict[str, int] = field(default_factory=dict)
    """Days by kind of record, where a person has set them."""

    @property
    def targets(self) -> dict[str, Target]:
        return self.policy.targets


def learn(known: Installation, event: ControlEvent, offset: int) -> Installation:
    """The installation after the control event at this offset; a repeated one changes nothing."""
    if offset < known.offset:
        return known
    known = replace(known, offset=offset + 1)
    if isinstance(event, POLICY_TYPES):
        known = replace(known, policy=replace(known.policy, version=offset + 1))
    match event:
        case MappingSet() | MappingRemoved():
            return _with_mapping(known, event)
        case SourceConfigured(connection=name):
            old = known.sources.get(name)
            return _with_source(known, replace(old, configured=event) if old else Source(event))
        case TargetConfigured(connection=name):
            target = known.targets.get(name)
            return _with_target(known, _configured(target, event) if target else Target(event))
        case ConnectionRemoved(connection=name):
            return replace(
                known,
                sources={n: s for n, s in known.sources.items() if n != name},
                policy=replace(
                    known.policy, targets={n: t for n, t in known.targets.items() if n != name}
                ),
            )
        case PersonErased(identities=identities):
            return replace(known, erased=known.erased | set(identities))
        case RetentionSet(kind=kind, days=days):
            return replace(known, retention={**known.retention, kind: days})
        case _:
            pass
    known = _with_source_event(known, event, offset)
    return _with_target_event(known, event, offset)


def _configured(target: Target, event: TargetConfigured) -> Target:
    """Another placement step is a person's word about rounding: what was seen of it is forgotten."""
    learned = target.learned
    if learned and event.placement_step_seconds != target.configured.placement_step_seconds:
        learned = learned.model_copy(update={"step_seconds": 1})
    return replace(target, configured=event, learned=learned)


def _with_mapping(known: Installation, event: MappingSet | MappingRemoved) -> Installation:
    kept = {k: m for k, m in known.policy.mappings.items() if m.mapping != event.mapping}
    if isinstance(event, MappingSet):
        kept[event.kind, event.source, event.source_key] = event
    return replace(known, policy=replace(known.policy, mappings=kept))


def _with_source(known: Installation, source: Source) -> Installation:
    return replace(known, sources={**known.sources, source.name: source})


def _with_target(known: Installation, target: Target) -> Installation:
    policy = replace(known.policy, targets={**known.targets, target.name: target})
    return replace(known, policy=policy)


def _with_source_event(known: Installation, event: ControlEvent, offset: int) -> Installation:
    source = known.sources.get(getattr(event, "connection", ""))
    if source is None:
        return known
    match event:
        case UnitConfirmed():
            return _with_source(known, _confirmed(source, event))
        case BackfillRequested():
            backfills = (*source.backfills, Backfill(offset + 1, event))
            return _with_source(known, replace(source, backfills=backfills))
        case AlarmAnswered(alarm=alarm, choice="wait") if alarm == UNIT_CHANGED:
            return known  # only a unit ends it, or the word that the confirmed one is right
        case SyncRequested(what="sweep"):
            return _with_source(known, replace(source, sweep_asked=offset + 1))
        case SyncRequested():
            return _with_source(known, replace(source, sync_asked=offset + 1))
        case AlarmRaised() | AlarmAnswered():
            alarms, answered = _alarmed(source, event)
            return _with_source(known, replace(source, alarms=alarms, answered=answered))
        case _:
            return known


def _confirmed(source: Source, event: UnitConfirmed) -> Source:
    """One that begins when another does replaces it; an alarm about the unit is answered by it."""
    others = (unit for unit in source.units if unit.effective_from != event.effective_from)
    return replace(
        source,
        units=tuple(sorted((*others, event), key=lambda unit: unit.effective_from)),
        alarms=tuple(alarm for alarm in source.alarms if alarm.alarm != UNIT_CHANGED),
    )


def _with_target_event(known: Installation, event: ControlEvent, offset: int) -> Installation:
    target = known.targets.get(getattr(event, "connection", ""))
    if target is None:
        return known
    match event:
        case WritingSwitched(on=on, start_on=start_on):
            return _with_target(known, replace(target, writing=on, start_on=start_on))
        case PeriodClosed(first_on=first, last_on=last):
            return _with_target(known, replace(target, closed=(*target.closed, (first, last))))
        case PeriodReopened(first_on=first, last_on=last):
            still = tuple(period for period in target.closed if period != (first, last))
            return _with_target(known, replace(target, closed=still))
        case TargetLearned():
            return _with_target(known, replace(target, learned=event))
        case AlarmRaised() | AlarmAnswered():
            alarms, answered = _alarmed(target, event)
            return _with_target(known, replace(target, alarms=alarms, answered=answered))
        case WritesReleased():
            return _with_target(known, replace(target, released=offset + 1))
        case SyncRequested(what="sweep"):
            return _with_target(known, replace(target, sweep_asked=offset + 1))
        case SyncRequested():
            return _with_target(known, replace(target, sync_asked=offset + 1))
        case _:
            return known


def _alarmed(
    known: Source | Target, event: AlarmRaised | AlarmAnswered
) -> tuple[tuple[AlarmRaised, ...], tuple[AlarmAnswered, ...]]:
    """The alarms that nobody answered, and the answers, after this one."""
    others = tuple(alarm for alarm in known.alarms if alarm.alarm != event.alarm)
    if isinstance(event, AlarmAnswered):
        return others, (*known.answered, event)
    answered = tuple(answer for answer in known.answered if answer.alarm != event.alarm)
    return (*others, event), answered
