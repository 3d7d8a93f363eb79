"""The windows of scriptrun, shown with Tk: a program that any Python from 3.8 on can run, alone.

stdin begins with a line of JSON: an object with `kind` and the texts. The exit status is the answer. `failure` ends
with CLOSED, `question` with RUN or CANCEL. `progress` reads on: each line is a step, and it ends with CLOSED when they
end, or with CANCEL. Every other status says that nothing could be shown.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import sys
import tkinter as tk
from collections.abc import Callable
from tkinter import font, ttk
from typing import Any

CLOSED, RUN, CANCEL = 10, 11, 12

LIMIT = 20
"""After how many seconds without a window the next toolkit is tried: the X server may not answer."""


class Window:
    """A window of a size that suits the screen: a sentence, what else is added, and buttons at the bottom."""

    def __init__(self, title: str) -> None:
        scale = _scale()
        self.root = tk.Tk(baseName="scriptrun", className="scriptrun")
        self.root.withdraw()
        self.root.title(shown(title))
        self.root.tk.call("tk", "scaling", scale * 96 / 72)
        self.unit = round(8 * scale)
        self.width = min(round(520 * scale), self.root.winfo_screenwidth() - 8 * self.unit)
        self.status = CANCEL
        self._style(scale * 96 / 72)
        self.bottom = ttk.Frame(self.root, padding=(2 * self.unit, self.unit, 2 * self.unit, 2 * self.unit))
        self.bottom.pack(side="bottom", fill="x")
        self.body = ttk.Frame(self.root, padding=(2 * self.unit, 2 * self.unit, 2 * self.unit, 0))
        self.body.pack(side="top", fill="both", expand=True)

    def _style(self, dots: float) -> None:
        """Set fonts, by dots since a point may be of any size, colours and distances."""
        for name in ("TkDefaultFont", "TkTextFont", "TkFixedFont"):
            self._font(name).configure(size=-round(11 * dots))
        self.bold = self._font("TkDefaultFont").copy()
        self.bold.configure(weight="bold", size=-round(12 * dots))
        style = ttk.Style(self.root)
        style.theme_use("clam")
        style.configure(".", background="#f6f6f6")
        style.configure("TButton", padding=(2 * self.unit, self.unit // 2))
        style.configure("Horizontal.TProgressbar", thickness=self.unit, background="#3273c8", troughcolor="#dddddd")
        style.configure("TScrollbar", arrowsize=2 * self.unit)
        self.root.configure(background="#f6f6f6")

    def _font(self, name: str) -> font.Font:
        """Return a font that Tk has; `font.nametofont` knows no window before Python 3.10."""
        return font.Font(self.root, name=name, exists=True)

    def sentence(self, text: str) -> ttk.Label:
        """Add what the window is about."""
        label = ttk.Label(self.body, text=shown(text), font=self.bold, wraplength=self.width, justify="left")
        label.pack(fill="x", anchor="w", pady=(0, self.unit))
        return label

    def text(self, content: str, share: float, family: str = "TkFixedFont") -> ttk.Frame:
        """Return a text, of this share of the screen's height or less, that can be scrolled, selected and copied."""
        frame = ttk.Frame(self.body)
        letters = self._font(family)
        width = self.width - 4 * self.unit
        lines = sum(1 + int(1.1 * letters.measure(shown(line)) / width) for line in content.split("\n"))
        box = tk.Text(
            frame,
            width=width // letters.measure("0"),
            height=min(lines, int(self.root.winfo_screenheight() * share) // letters.metrics("linespace")),
            font=family,
            background="white",
            relief="flat",
            padx=self.unit,
            pady=self.unit,
            wrap="word",
        )
        bar = ttk.Scrollbar(frame, command=box.yview)

        def scroll(first: float, last: float) -> None:
            bar.set(first, last)
            if box.winfo_viewable() and float(last) - float(first) < 1 and not bar.winfo_ismapped():
                bar.pack(side="right", fill="y", before=box)

        box.configure(yscrollcommand=scroll)
        box.pack(side="left", fill="both", expand=True)
        box.insert("1.0", shown(content))
        box.configure(state="disabled")
        box.bind("<Tab>", _next)
        box.bind("<Map>", lambda _: box.after_idle(lambda: scroll(*box.yview())))
        return frame

    def button(self, label: str, command: Callable[[], object], *, side: Any = "right") -> ttk.Button:
        """Add a button; Return presses the one that has the focus."""
        button = ttk.Button(self.bottom, text=label, command=command)
        button.pack(side=side, padx=(self.unit, 0) if side == "right" else (0, self.unit))
        button.bind("<Return>", lambda _: button.invoke())
        return button

    def end(self, status: int) -> None:
        """Close the window with this answer."""
        self.status = status
        self.root.destroy()

    def place(self) -> None:
        """Put the window in the middle of the screen, and as a whole where it can be seen."""
        self.root.update_idletasks()
        left = (self.root.winfo_screenwidth() - self.root.winfo_reqwidth()) // 2
        top = (self.root.winfo_screenheight() - self.root.winfo_reqheight()) // 3
        self.root.geometry(f"+{max(0, left)}+{max(0, top)}")

    def run(self, escape: int) -> int:
        """Show the window in the middle of the screen and return the answer; `escape` is that of Escape."""
        self.root.protocol("WM_DELETE_WINDOW", lambda: self.end(escape))
        self.root.bind("<Escape>", lambda _: self.end(escape))
        self.place()
        self.root.deiconify()
        self.root.lift()
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        self.root.mainloop()
        return self.status


def shown(text: str) -> str:
    """Return what Tk can show of a text: characters beyond 16 bits end some versions of it."""
    return re.sub("[^\\x00-\\uffff]|[\\ud800-\\udfff]", lambda found: f"\\U{ord(found[0]):08x}", text)


def probe(_told: dict[str, Any]) -> int:
    """Find out whether there is a screen for windows."""
    tk.Tk().destroy()
    return CLOSED


def failure(told: dict[str, Any]) -> int:
    """Say why something does not start: a sentence, the details behind a button, and a button that copies both."""
    window = Window(told["title"])
    window.sentence(told["sentence"])
    details = window.text(told["details"], 0.5)

    def unfold() -> None:
        if details.winfo_ismapped():
            details.pack_forget()
        else:
            details.pack(fill="both", expand=True)
        window.place()
        more.configure(text="Hide details" if more["text"] == "Details" else "Details")

    def copy() -> None:
        window.root.clipboard_clear()
        window.root.clipboard_append(shown(told["whole"]))
        copied.configure(text="Copied")

    close = window.button("Close", lambda: window.end(CLOSED))
    copied = window.button("Copy", copy)
    if told["details"]:
        more = window.button("Details", unfold, side="left")
    close.focus_set()
    return window.run(CLOSED)


def question(told: dict[str, Any]) -> int:
    """Ask whether a script may run."""
    window = Window(told["title"])
    window.sentence(told["sentence"])
    if told["rows"]:
        window.text(told["rows"], 0.3, "TkTextFont").pack(fill="x")
    source = window.text(told["source"], 0.3)

    def show() -> None:
        if source.winfo_ismapped():
            source.pack_forget()
        else:
            source.pack(fill="both", expand=True, pady=(window.unit, 0))
        window.place()
        look.configure(text="Hide" if look["text"] == "Show" else "Show")

    cancel = window.button("Cancel", lambda: window.end(CANCEL))
    look = window.button("Show", show)
    window.button("Run", lambda: window.end(RUN))
    cancel.focus_set()
    return window.run(CANCEL)


def progress(told: dict[str, Any]) -> int:
    """Show what happens until stdin ends, with a bar that moves as long as this lives."""
    window = Window(told["title"])
    window.sentence(told["sentence"])
    bar = ttk.Progressbar(window.body, mode="indeterminate", length=window.width)
    bar.pack(fill="x", pady=window.unit)
    bar.start(20)
    step = ttk.Label(window.body, text=" ", wraplength=window.width)
    step.pack(fill="x", anchor="w")
    rest = b""

    def read(*_: object) -> None:
        nonlocal rest
        chunk = os.read(0, 1 << 16)
        if not chunk:
            window.end(CLOSED)
            return
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            step.configure(text=shown(line.decode("utf-8", "replace"))[:200] or " ")

    window.button("Cancel", lambda: window.end(CANCEL)).focus_set()
    window.root.tk.createfilehandler(0, tk.READABLE, read)
    return window.run(CANCEL)


def _scale() -> float:
    """Return how large the desktop wants things to be: 1.0 is 96 dots an inch."""
    probe = tk.Tk(baseName="Xft", className="Xft")  # the resource database knows `Xft.dpi` by this name
    probe.withdraw()
    dots = str(probe.tk.call("option", "get", ".", "dpi", "Dpi"))
    probe.destroy()
    told = [1.0]
    for value, whole in ((dots, 96), (os.environ.get("GDK_SCALE", ""), 1), (os.environ.get("QT_SCALE_FACTOR", ""), 1)):
        with contextlib.suppress(ValueError):
            told.append(float(value) / whole)
    return max([1.0, *(min(4.0, factor) for factor in told if math.isfinite(factor))])


def _next(event: Any) -> str:
    """Leave a text that cannot be edited by Tab, as other parts of a window are left."""
    event.widget.tk_focusNext().focus()
    return "break"


def _first_line() -> bytes:
    """Return the first line of stdin, and leave the rest where it is."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    return line


if __name__ == "__main__":
    if hasattr(signal, "alarm"):
        signal.alarm(LIMIT)
    given = json.loads(_first_line())
    kinds = {"probe": probe, "failure": failure, "question": question, "progress": progress}
    sys.exit(kinds[given["kind"]](given))
