"""What people thought of a trial's answers: the thumbs on turns that were begun since, by the engine that answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, select

from agents.corrections import Kind, Rating
from agents.feedback import FeedbackRow
from app.runs.timelines import TimelineRow
from app.trials.figures import Share
from core.database import Database


class Ratings:
    """Reads feedback anew each time, from every tenant and process: it comes late, and may be taken back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, moment: datetime, challenger: str) -> tuple[Share, Share]:
        """The share of thumbs down among the challenger's ratings, and among everybody else's.

        Turns that no engine spoke in are nobody's doing.
        """
        same = and_(FeedbackRow.tenant == TimelineRow.tenant, FeedbackRow.about_id == TimelineRow.id)
        theirs = TimelineRow.engine == challenger
        query = (
            select(theirs, FeedbackRow.rating, func.count())
            .join(FeedbackRow, same)
            .where(
                FeedbackRow.about_kind == Kind.TURN.value,
                FeedbackRow.rating.is_not(None),
                TimelineRow.started_at >= moment,
                # Implied, and spares the look at the turns of all that was said before.
                FeedbackRow.created_at >= moment,
                TimelineRow.engine != "",
            )
            .group_by(theirs, FeedbackRow.rating)
        )
        async with self._database.session() as session:
            counted = {(bool(ours), rating): count for ours, rating, count in await session.execute(query)}
        return _share(counted, True), _share(counted, False)


def _share(counted: dict[tuple[bool, str | None], int], ours: bool) -> Share:
    down, up = (counted.get((ours, rating.value), 0) for rating in (Rating.DOWN, Rating.UP))
    return Share(down, down + up)
