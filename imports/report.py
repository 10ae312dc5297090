"""What an import came to."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

SHOWN = 200
VALUE_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Problem:
    """One bad cell, or row where `column` is empty."""

    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        where = _("line %(line)s") % {"line": self.line}
        what = f", {self.column} “{self.value}”" if self.column else ""
        return f"{where}{what}: {self.reason}"


@dataclass(slots=True)
class Report:
    """Counts of rows; the first `SHOWN` problems and notices, and how many there are of each."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    notices: list[str] = field(default_factory=list)
    notice_count: int = 0

    def refuse(self, line: int, column: str, value: str, reason: str) -> None:
        self.problem_count += 1
        if len(self.problems) < SHOWN:
            shown = value if len(value) <= VALUE_SHOWN else value[:VALUE_SHOWN] + "…"
            self.problems.append(Problem(line, column, shown, reason))

    def notice(self, text: str) -> None:
        self.notice_count += 1
        if len(self.notices) < SHOWN:
            self.notices.append(text)

    def problems_as_json(self) -> list[dict[str, Any]]:
        """For `Import.problems`; a last entry without a line says how many more there are."""
        shown = [
            {"line": one.line, "column": one.column, "value": one.value, "reason": one.reason} for one in self.problems
        ]
        if more := self.problem_count - len(shown):
            shown.append({"line": None, "column": "", "value": "", "reason": _("and %(count)s more") % {"count": more}})
        return shown

    def notices_shown(self) -> list[str]:
        more = self.notice_count - len(self.notices)
        return [*self.notices, *([_("and %(count)s more") % {"count": more}] if more else [])]
