"""Drawing only what has changed.

Textual asks every widget inside the rectangle around all changes for its lines, and cuts them to
pieces, also those of widgets that lie between the changes and are as they were.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class SparingCompositor(Compositor):
    """Leaves out of a partial update the widgets that no change touches."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: frozenset[Region] = frozenset()
        """What a partial update is about; empty: everything."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Draw the lines that have changed."""
        self._changed = frozenset(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._changed = frozenset()

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if not self._changed:
            yield from super()._get_renders(crop)
            return
        seen = self.visible_widgets
        self._visible_widgets = touched = {
            widget: (region, clip)
            for widget, (region, clip) in seen.items()
            if any(changed.overlaps(region) for changed in self._changed)
        }
        renders = iter(super()._get_renders(crop))
        first = next(renders, None)  # it looks at the widgets there are once, now
        if self._visible_widgets is touched:
            self._visible_widgets = seen
        if first is not None:
            yield first
            yield from renders
