"""What people set adds up to an installation, the same in every service."""

from datetime import date, datetime, timedelta

from hourbook_contracts.control import (
    UNIT_CHANGED,
    AlarmAnswered,
    AlarmRaised,
    BackfillRequested,
    ControlEvent,
    MappingRemoved,
    PeriodClosed,
    PeriodReopened,
    SourceConfigured,
    SyncRequested,
    TargetAlarmRaised,
    TargetConfigured,
    TargetLearned,
    UnitConfirmed,
    WritingSwitched,
)
from hourbook_contracts.installation import Installation, learn
from hourbook_contracts.testing import MAPPINGS, NOON

SOURCE = SourceConfigured(
    observed_at=NOON, by="test", connection="desk", base_url="http://z", secret_version=1
)
TARGET = TargetConfigured(
    observed_at=NOON, by="test", connection="hours", base_url="http://k", secret_version=1
)


def told(*events: ControlEvent) -> Installation:
    known = Installation()
    for offset, event in enumerate(events):
        known = learn(known, event, offset)
    return known


def unit(seconds: int, *, days: int = 0) -> UnitConfirmed:
    return UnitConfirmed(
        observed_at=NOON,
        by="test",
        connection="desk",
        unit="minute",
        seconds_per_unit=seconds,
        effective_from=NOON + timedelta(days=days),
    )


def writing(*, on: bool, start_on: date | None = None) -> WritingSwitched:
    return WritingSwitched(
        observed_at=NOON, by="test", connection="hours", on=on, start_on=start_on
    )


def test_the_policys_version_is_the_offset_after_the_last_event_that_changed_it() -> None:
    assert told(SOURCE).policy.version == 0
    assert told(SOURCE, TARGET, MAPPINGS[0], unit(60)).policy.version == 3


def test_an_event_told_again_changes_nothing() -> None:
    known = told(SOURCE, TARGET, MAPPINGS[0])
    assert learn(known, MAPPINGS[1], 1) == known


def test_without_a_confirmed_unit_an_entry_is_worth_nothing_known() -> None:
    assert told(SOURCE).sources["desk"].seconds_per_unit(NOON) is None


def test_a_unit_is_in_force_from_its_day_on_and_the_first_one_for_everything_before() -> None:
    source = told(SOURCE, unit(60), unit(900, days=10)).sources["desk"]
    assert source.seconds_per_unit(NOON - timedelta(days=99)) == 60
    assert source.seconds_per_unit(NOON + timedelta(days=9)) == 60
    assert source.seconds_per_unit(NOON + timedelta(days=10)) == 900


def test_nothing_is_written_until_it_is_switched_on_and_nothing_older_than_its_start() -> None:
    day = NOON.date()
    assert not told(TARGET).targets["hours"].may_write(day)
    switched = told(TARGET, writing(on=True, start_on=day)).targets["hours"]
    assert switched.may_write(day)
    assert not switched.may_write(day - timedelta(days=1))
    assert not told(TARGET, writing(on=True), writing(on=False)).targets["hours"].may_write(day)


def test_configuring_a_target_again_keeps_what_was_switched() -> None:
    assert told(TARGET, writing(on=True), TARGET).targets["hours"].writing


def test_a_mapping_set_again_replaces_itself_and_can_be_removed() -> None:
    moved = MAPPINGS[0].model_copy(update={"target_id": 99})
    known = told(MAPPINGS[0], moved)
    assert [m.target_id for m in known.policy.mappings.values()] == [99]
    removed = MappingRemoved(observed_at=NOON, by="test", mapping=moved.mapping)
    assert learn(known, removed, 2).policy.mappings == {}


def test_a_closed_period_is_closed_until_it_is_opened_again() -> None:
    day = NOON.date()
    closed = PeriodClosed(
        observed_at=NOON, by="test", connection="hours", first_on=day, last_on=day
    )
    opened = PeriodReopened(**closed.model_dump())
    assert told(TARGET, closed).targets["hours"].is_closed(day)
    assert not told(TARGET, closed, opened).targets["hours"].is_closed(day)


def test_asking_for_a_sync_moves_only_that_connection() -> None:
    asked = SyncRequested(observed_at=NOON, by="test", connection="desk", what="sweep")
    known = told(SOURCE, TARGET, asked)
    assert (known.sources["desk"].sweep_asked, known.targets["hours"].sweep_asked) == (3, 0)


def learned(**what: int | bool) -> TargetLearned:
    return TargetLearned.model_validate(
        {"observed_at": NOON, "by": "push-kimai", "connection": "hours", **what}
    )


def test_what_was_learned_of_a_kimai_is_policy() -> None:
    known = told(TARGET, learned(allows_overlap=False, step_seconds=900))
    target = known.targets["hours"]
    assert known.policy.version == 2
    assert (target.packs, target.step_seconds) == (True, 900)
    unknown = told(TARGET).targets["hours"]
    assert (unknown.packs, unknown.step_seconds) == (False, 60)


def test_a_step_that_a_person_sets_anew_stands_against_what_was_learned() -> None:
    rounds = learned(allows_overlap=False, step_seconds=900)
    again = told(TARGET, rounds, TARGET).targets["hours"]
    assert again.step_seconds == 900
    changed = TARGET.model_copy(update={"placement_step_seconds": 300})
    target = told(TARGET, rounds, changed).targets["hours"]
    assert (target.packs, target.step_seconds) == (True, 300)


def alarm(connection: str, kind: type[AlarmRaised]) -> AlarmRaised:
    return kind(
        observed_at=NOON,
        by="test",
        connection=connection,
        alarm="suddenly_empty",
        missing=30,
        known=40,
    )


def test_an_alarm_of_either_side_stands_until_it_is_answered() -> None:
    of_zammad, of_kimai = alarm("desk", AlarmRaised), alarm("hours", TargetAlarmRaised)
    answer = AlarmAnswered(
        observed_at=NOON, by="test", connection="hours", alarm="suddenly_empty", choice="believe"
    )
    raised = told(SOURCE, TARGET, of_zammad, of_kimai)
    assert raised.sources["desk"].alarms == (of_zammad,)
    assert raised.targets["hours"].alarms == (of_kimai,)
    known = learn(raised, answer, 4)
    assert known.sources["desk"].alarms == (of_zammad,)
    assert (known.targets["hours"].alarms, known.targets["hours"].answered) == ((), (answer,))
    again = learn(known, of_kimai, 5).targets["hours"]
    assert (again.alarms, again.answered) == ((of_kimai,), ())


def unit_changed(since: datetime | None) -> AlarmRaised:
    return AlarmRaised(
        observed_at=NOON, by="ingest", connection="desk", alarm=UNIT_CHANGED, since=since
    )


def test_a_unit_is_worth_what_was_confirmed_for_the_time_it_was_made() -> None:
    source = told(SOURCE, unit(60), unit(3600, days=1)).sources["desk"]
    day = timedelta(days=1)
    worth = [source.seconds_per_unit(NOON + n * day) for n in (-9, 0, 1, 2)]
    assert worth == [60, 60, 3600, 3600]


def test_a_unit_confirmed_again_for_the_same_time_replaces_the_mistake() -> None:
    source = told(SOURCE, unit(3600), unit(60)).sources["desk"]
    assert [u.seconds_per_unit for u in source.units] == [60]
    assert source.seconds_per_unit(NOON - timedelta(days=1)) == 60


def test_while_it_is_not_known_what_a_unit_is_later_time_is_worth_nothing_yet() -> None:
    hour = timedelta(hours=1)
    held = told(SOURCE, unit(60, days=-9), unit_changed(NOON))
    assert held.sources["desk"].seconds_per_unit(NOON - hour) == 60
    assert held.sources["desk"].seconds_per_unit(NOON) is None
    wait = AlarmAnswered(
        observed_at=NOON, by="test", connection="desk", alarm=UNIT_CHANGED, choice="wait"
    )
    assert learn(held, wait, 9).sources["desk"].seconds_per_unit(NOON) is None
    believed = learn(held, wait.model_copy(update={"choice": "believe"}), 9)
    assert believed.sources["desk"].seconds_per_unit(NOON) == 60
    confirmed = learn(held, unit(3600), 9).sources["desk"]
    assert (confirmed.alarms, confirmed.seconds_per_unit(NOON)) == ((), 3600)
    assert confirmed.seconds_per_unit(NOON - hour) == 60


def test_what_was_never_right_holds_all_time() -> None:
    source = told(SOURCE, unit(60), unit_changed(None)).sources["desk"]
    assert source.seconds_per_unit(NOON - timedelta(days=900)) is None


def test_backfills_are_known_by_their_place_on_the_log() -> None:
    wanted = BackfillRequested(
        observed_at=NOON,
        by="test",
        connection="desk",
        first_on=date(2026, 1, 1),
        last_on=date(2026, 1, 31),
    )
    (backfill,) = told(SOURCE, wanted).sources["desk"].backfills
    assert (backfill.id, backfill.days) == (2, (date(2026, 1, 1), date(2026, 1, 31)))
