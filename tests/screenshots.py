"""Pictures of the app on the demo library, as SVG and PNG: ``python -m tests.screenshots``.

Needs ``resvg-py`` (in the ``dev`` extra) and a monospaced font that has the box characters.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

from tests import busy_library

NOW = 1_767_268_800_000
FOLDER = Path(__file__).parent.parent / "screenshots"
FONT = "DejaVu Sans Mono"
FONTS = ["/usr/share/fonts", "/usr/share/fonts/truetype/dejavu"]
SIZES = ((140, 40), (80, 24))
SCENES: dict[str, tuple[str, ...]] = {
    "list": (),
    "search": (*"idempotency", "enter"),
    "transcript": ("enter", "r", "right_square_bracket"),
}
"""Keys pressed before each picture."""
CHARTS: dict[str, tuple[str, ...]] = {
    "dashboard": ("tab", "D", "2"),
    "dashboard-table": ("tab", "D", "w", "s", "t"),
}
"""The same, on a library with more to chart."""


async def picture(name: str, keys: tuple[str, ...], size: tuple[int, int], store: str) -> None:
    """Press keys in a new app and write down what it shows."""
    from sparrow_tui.app.app import SparrowApp
    from sparrow_tui.settings import Settings

    app = SparrowApp(store, sync=False, settings=Settings(), present=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.6)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.15)
        await pilot.pause(0.6)
        svg = app.export_screenshot(title="sparrow-tui")
    target = FOLDER / f"{name}-{size[0]}x{size[1]}"
    target.with_suffix(".svg").write_text(svg)
    import resvg_py

    # Textual names a font it fetches from the net; pictures are made with one that is here.
    drawn = svg.replace("Fira Code", FONT)
    png = resvg_py.svg_to_bytes(svg_string=drawn, zoom=1, font_dirs=FONTS)
    target.with_suffix(".png").write_bytes(bytes(png))


def main() -> None:
    """All scenes in all sizes."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    from sparrow_tui.cli.app import fill_demo

    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "demo.db")
        fill_demo(store, NOW)
        busy = str(Path(folder) / "busy.db")
        busy_library.fill(busy, NOW)
        for size in SIZES:
            for name, keys in SCENES.items():
                asyncio.run(picture(name, keys, size, store))
            for name, keys in CHARTS.items():
                asyncio.run(picture(name, keys, size, busy))


if __name__ == "__main__":
    main()
