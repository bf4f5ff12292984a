"""What is being done and how long it will still take: a line that is written over on a terminal, else one a step."""

import sys
import time


class Progress:
    """`planned_s` is how long all of it should take; what took longer so far makes the rest longer, too."""

    WIDTH = 24

    def __init__(self, out=sys.stderr):
        self.out = out
        self.planned_s = self.done_s = 0.0
        self.start = None  # of the first step that was planned
        self.step = None

    def plan(self, seconds: float):
        self.planned_s += seconds

    def _left(self) -> str:
        if self.done_s <= 0:
            return "-:--"
        stretch = (time.monotonic() - self.start) / self.done_s
        left_s = max(self.planned_s - self.done_s, 0) * max(stretch, 1)
        return f"{int(left_s) // 60}:{int(left_s) % 60:02}"

    def tell(self, step: str, detail=""):
        """What comes now: a step, and what of it."""
        part = min(self.done_s / self.planned_s, 1.0) if self.planned_s else 0.0
        if self.out.isatty():
            bar = "#" * round(part * self.WIDTH)
            text = f"[{bar:<{self.WIDTH}}] {part:4.0%}, {self._left()} left: {step}{', ' if detail else ''}{detail}"
            self.out.write(f"\r\033[K{text[:110]}")
        elif step != self.step:
            self.out.write(f"[{part:4.0%}, {self._left()} left] {step}\n")
        self.step = step
        self.out.flush()

    def advance(self, seconds: float):
        if self.start is None:
            self.start = time.monotonic() - seconds
        self.done_s += seconds

    def note(self, text: str):
        """A line that stays."""
        if self.out.isatty():
            self.out.write("\r\033[K")
        self.out.write(text + "\n")
        self.out.flush()
