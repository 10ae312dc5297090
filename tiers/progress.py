"""How far a run is, as the pages that follow it show it."""

from typing import Any

from django.utils.translation import gettext, ngettext

from common.templatetags.show import quantity
from tiers import night
from tiers.models import Run


def of(run: Run) -> dict[str, Any]:
    """State and steps, in the reader's language. One query."""
    return {
        "running": run.state == Run.State.RUNNING,
        "state": run.get_state_display(),
        "steps": [
            {
                "key": step.key,
                "label": step.label,
                "done": step.done,
                "total": step.total,
                "says": _says(step),
            }
            for step in night.progress(run)
        ],
    }


def _says(step: night.StepProgress) -> str:
    if step.total is None:
        return gettext("to come")
    if step.total == 0:
        return gettext("nothing to do")
    failed = ngettext(", %(count)s failed", ", %(count)s failed", step.failed) % {"count": step.failed}
    return f"{quantity(step.done)} / {quantity(step.total)}{failed if step.failed else ''}"
