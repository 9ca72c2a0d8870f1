"""Drawing only what has changed and can be seen.

Textual asks every widget inside the rectangle around all changes for its lines, and cuts them to
pieces, also those of widgets that lie between the changes and are as they were, and those of
containers nothing of which is seen between the widgets in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Seen: TypeAlias = dict[Widget, tuple[Region, Region]]
"""Widgets from front to back, each with its region and the one it is clipped to."""


class SparingCompositor(Compositor):
    """Leaves out the widgets that others cover, and those that no change touches."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: frozenset[Region] = frozenset()
        """What a partial update is about; empty: everything."""
        self._looked_at: Mapping[Widget, tuple[Region, Region]] | None = None
        self._uncovered: Seen = {}
        """Those of ``_looked_at`` of which something is seen."""

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
        seen = self.visible_widgets
        if self._looked_at is not seen:
            self._looked_at, self._uncovered = seen, uncovered(seen)
        touched = self._uncovered
        if self._changed:
            touched = {
                widget: (region, clip)
                for widget, (region, clip) in touched.items()
                if any(changed.overlaps(region) for changed in self._changed)
            }
        self._visible_widgets = touched
        renders = iter(super()._get_renders(crop))
        first = next(renders, None)  # it looks at the widgets there are once, now
        if self._visible_widgets is touched:
            self._visible_widgets = seen
        if first is not None:
            yield first
            yield from renders


def uncovered(seen: Mapping[Widget, tuple[Region, Region]]) -> Seen:
    """Widgets of which something is seen between those in front of them."""
    found: Seen = {}
    front: list[Region] = []
    """What is covered, in regions that do not overlap."""
    for widget, (region, clip) in seen.items():
        shown = region.intersection(clip)
        overlaps = [shown.intersection(other) for other in front if other.overlaps(shown)]
        if overlaps and sum(part.area for part in overlaps) >= shown.area:
            continue
        found[widget] = (region, clip)
        if not overlaps:
            front.append(shown)
    return found
