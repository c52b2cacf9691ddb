"""A console of rich's that escapes what it is given; only its own colours and movements pass.

Import it late: rich costs every command a tenth of a second.
"""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from gateway.cli.escaping import escaped


class EscapingConsole(Console):
    """Shows control characters in data instead of obeying them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, and escape what is no movement of the console's own."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(escaped(segment.text, layout=True), segment.style)
