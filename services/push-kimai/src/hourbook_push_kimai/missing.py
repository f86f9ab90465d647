"""Timesheets of ours that a complete list does not show: gone, not to be seen, or too many to believe."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from hourbook_contracts.codec import ce_id, encode
from hourbook_contracts.control import AlarmAnswered, TargetAlarmRaised
from hourbook_contracts.ids import BookId, SheetId, number_of
from hourbook_contracts.installation import Target
from hourbook_contracts.ledger import TimesheetVanished
from hourbook_contracts.topics import CONTROL, LEDGER
from hourbook_kit import clock, outbox
from hourbook_kit.target.protocol import NotReadableError
from hourbook_push_kimai import readings
from hourbook_push_kimai.learned import BY
from hourbook_push_kimai.observe import ALARM
from hourbook_push_kimai.taking import Taking
from hourbook_push_kimai.world import World

log = structlog.get_logger()

ACCESS_LOST = "access_lost"
LOST = (
    "Kimai answers 403 to {0} timesheets of ours, {1} among them: the token's account lost a team or"
    " view_other_timesheet. None of them is taken as deleted; give the access back."
)


@dataclass(frozen=True, slots=True)
class Missing:
    world: World
    taking: Taking

    async def ask(self, gone: Mapping[SheetId, BookId]) -> None:
        """Ask for each by its id: only a 404 of Kimai's own is a deletion, a 403 is lost access."""
        lost = [sheet for sheet, book in gone.items() if not await self._ask_for(sheet, book)]
        if lost:
            sentence = LOST.format(len(lost), number_of(lost[0]))
            await self.world.obstacles.hinder(ACCESS_LOST, sentence)
        else:
            await self.world.obstacles.clear(ACCESS_LOST)

    async def alarm(self, *, missing: int, known: int) -> None:
        """So many are gone at once that nothing of it is believed, and nothing written either."""
        world, now = self.world, clock.now()
        world.alarmed = True
        raised = TargetAlarmRaised(
            observed_at=now,
            by=BY,
            connection=world.name,
            alarm=ALARM,
            missing=missing,
            known=known,
        )
        async with world.pool.acquire() as connection, connection.transaction():
            first = await connection.fetchval(
                "INSERT INTO push.observed AS known (target, alarmed_at) VALUES ($1, $2)"
                " ON CONFLICT (target) DO UPDATE SET alarmed_at = excluded.alarmed_at"
                " WHERE known.alarmed_at IS NULL RETURNING true",
                world.name,
                now,
            )
            if first:
                await outbox.put(connection, "push", CONTROL.name, [encode(raised)])
                log.error("suddenly_empty", target=world.name, missing=missing, known=known)
        await world.obstacles.hinder(
            ALARM,
            f"{world.name} shows {missing} of {known} timesheets of ours no longer: none of that is"
            " believed, and nothing is written, until it shows them again or a person answers the alarm.",
        )

    async def well_again(self, target: Target, word: AlarmAnswered | None) -> None:
        """The alarm is over: by a person's word, which is used up by it, or because all is there again."""
        world = self.world
        if not world.alarmed and word is None:
            return
        unanswered = word is None and any(alarm.alarm == ALARM for alarm in target.alarms)
        over = AlarmAnswered(
            observed_at=clock.now(), by=BY, connection=world.name, alarm=ALARM, choice="wait"
        )
        async with world.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "UPDATE push.observed SET alarmed_at = NULL, believed = coalesce($2, believed)"
                " WHERE target = $1",
                world.name,
                None if word is None else ce_id(word),
            )
            if unanswered:
                await outbox.put(connection, "push", CONTROL.name, [encode(over)])
        world.alarmed = False
        await world.obstacles.clear(ALARM)
        world.wake.set()

    async def _ask_for(self, sheet: SheetId, book: BookId) -> bool:
        """Gone is what Kimai itself says is not there, while it answers about what must be; False: 403."""
        no = await readings.next_no(self.world.pool)
        try:
            row = await self.world.kimai.read(number_of(sheet))
        except NotReadableError:
            log.warning("timesheet_not_readable", sheet=sheet)
            return False
        if row is not None:
            await self.taking.take([row], no)
            return True
        await self.world.kimai.me()
        await self._vanished(sheet, book, no)
        return True

    async def _vanished(self, sheet: SheetId, book: BookId, no: int) -> None:
        gone = TimesheetVanished(
            observed_at=clock.now(), book=book, connection=self.world.name, sheet=sheet, no=no
        )
        async with self.world.pool.acquire() as connection, connection.transaction():
            if await readings.keep(connection, self.world.name, no, [(sheet, book, None)]):
                await outbox.put(connection, "push", LEDGER.name, [encode(gone)])
                log.info("timesheet_vanished", book=book, sheet=sheet)
