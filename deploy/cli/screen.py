"""What the commands print: dim side remarks, an answer as it streams, tables. Plain text where there is no terminal."""

from collections.abc import Iterable, Sequence
from typing import TextIO

from deploy.answer import Answer

DIM, RESET, CLEAR_LINE = "\x1b[2m", "\x1b[0m", "\r\x1b[K"


class Screen:
    """Writes to a terminal, or to whatever stands in its place."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._open_line = ""  # a passing remark that the next line replaces
        self._doing = ""

    def say(self, text: str = "") -> None:
        """A line."""
        self._write(text + "\n")

    def remark(self, text: str) -> None:
        """A line of less weight."""
        self._write(f"{DIM}{text}{RESET}\n" if self._is_terminal else text + "\n")

    def passing(self, text: str) -> None:
        """A line that the next replaces. Without a terminal nothing is shown: the last word comes as `say`."""
        if self._is_terminal and text != self._open_line:
            self._write(f"{DIM}{text}{RESET}")
            self._open_line = text

    def progress(self, doing: str, passed_s: float) -> None:
        """What is going on, with a clock that counts; without a terminal a line for each new thing."""
        if self._is_terminal:
            self.passing(f"{doing} … {passed_s:.0f} s")
        elif doing != self._doing:
            self._doing = doing
            self.say(f"{passed_s:4.0f} s  {doing}")

    def stream(self, answer: Answer, indent: str = "") -> str:
        """An answer as it comes, then its figures.

        Returns:
            The whole text.
        """
        self._write(indent)
        for piece in answer:
            self._write(piece.replace("\n", "\n" + indent))
        self._write("\n")
        self.remark(indent + figures(answer))
        return answer.text

    def _write(self, text: str) -> None:
        if self._open_line:
            self._out.write(CLEAR_LINE)
            self._open_line = ""
        self._out.write(text)
        self._out.flush()


def figures(answer: Answer) -> str:
    """Time to first token, speed, tokens and cost in one line."""
    parts = []
    if answer.first_token_s is not None:
        parts.append(f"first token {answer.first_token_s * 1000:.0f} ms")
    if answer.tokens_per_s is not None:
        parts.append(f"{answer.tokens_per_s:.0f} tokens/s")
    parts.append(f"{answer.prompt_tokens} + {answer.completion_tokens} tokens")
    parts.append(f"${answer.cost_usd:.6f}")
    if answer.finish_reason not in (None, "stop"):
        parts.append(f"ended by {answer.finish_reason}")
    return " · ".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
