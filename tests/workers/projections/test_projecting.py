"""Tables against the pure folds of their logs, in batches of any size."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.workers.projections.conftest import Chapters, Ground

pytestmark = pytest.mark.postgres
LIVES = 4


async def lived(ground: "Ground", chapters: "Chapters", agency: str, *, part: slice = slice(None)) -> None:
    """Append some lives, their commands taking turns."""
    told = {f"engagement:e-{seed}": chapters(seed)[part] for seed in range(1, LIVES)}
    while told:
        for stream in list(told):
            await ground.append(agency, stream, told[stream][:2])
            told[stream] = told[stream][2:]
            if not told[stream]:
                del told[stream]


class TestProjecting:
    @pytest.mark.parametrize("batch", [3, 1000])
    async def test_gives_the_pure_fold(self, ground: "Ground", chapters: "Chapters", batch: int) -> None:
        """Whatever the batches, a table is the fold of the log up to its checkpoint; annulments included."""
        await lived(ground, chapters, "a-1")
        await ground.projected(batch=batch)
        await ground.agrees("a-1")

    async def test_goes_on_where_it_was_left(self, ground: "Ground", chapters: "Chapters") -> None:
        """Another process remembers no stream, and writes the same."""
        await lived(ground, chapters, "a-1", part=slice(0, 9))
        await ground.projected()
        await ground.agrees("a-1")
        for seed in range(1, LIVES):
            await ground.append("a-1", f"engagement:e-{seed}", chapters(seed)[9:])
            await ground.projected()
        await ground.agrees("a-1")

    async def test_keeps_agencies_apart(self, ground: "Ground", chapters: "Chapters") -> None:
        """An agency reads its own rows and no others, whatever it asks for."""
        for agency in ("a-1", "a-2"):
            await lived(ground, chapters, agency)
        await ground.projected()
        for agency in ("a-1", "a-2"):
            await ground.agrees(agency)
            seen = await seen_by(ground, agency, "SELECT DISTINCT agency FROM rapport_read.board")
            assert [row["agency"] for row in seen] == [agency]


async def seen_by(ground: "Ground", agency: str, query: str) -> list[Any]:
    """Ask as the application does for an agency."""
    async with ground.superuser.transaction():
        await ground.superuser.execute("SET LOCAL ROLE rapport_app")
        await ground.superuser.execute("SELECT set_config('rapport.agency', $1, true)", agency)
        found: list[Any] = await ground.superuser.fetch(query)
        return found
