"""Text in the app: whoever wrote it, it is no markup, and no terminal obeys it."""

from __future__ import annotations

from typing import Any

from textual.widgets import Label, Static

from tasks.words.printable import printable, printable_lines


class Heading(Label):
    """One line above a view."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text), classes="heading", markup=False)


class Words(Static):
    """Lines that change. `is_prose`: an answer in some language."""

    def __init__(self, text: str = "", *, key: str, is_prose: bool = False) -> None:
        self.is_prose = is_prose
        super().__init__(printable_lines(text), id=key, markup=False)

    def update(self, content: Any = "", *, layout: bool = True) -> None:
        """Show another text."""
        super().update(printable_lines(content, is_prose=self.is_prose), layout=layout)
