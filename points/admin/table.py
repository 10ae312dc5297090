"""The points table: its rows to look at, and the editor of a program's table as one document.

Without scripts the table is a text area that is sent as a form; with them static/js/points-editor.js builds lists and
buttons over the same document. What is kept goes through the service that program files go through.
"""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from unfold.decorators import action, display

from common.admin import ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.errors import ProgramError
from common.periods import program_today
from common.templatetags.show import day as day_shown
from common.templatetags.show import exact, quantity
from points import documents, selectors, services, table, trying, wording
from points.admin.editor_texts import TEXTS
from points.errors import PointTableError
from points.models import PointRule
from tiers import datasets
from tiers.admin.catalogue import lists
from tiers.admin.editions import editor_url
from tiers.admin.editor import NotADocumentError, as_json, enrollment_of, partners_named
from tiers.admin.editor_texts import TEXTS as SHARED_TEXTS
from tiers.drafting import Problem
from tiers.models import Edition, Measure, Program

ADDRESSES = ("save", "words", "try", "partners")


class ChooseProgram(StaffForm):
    program = forms.ModelChoiceField(Program.objects.order_by("id"), label=_("Program"))


class TablePages:
    """The addresses of the editor, for who may change rows of points."""

    def table_urls(self) -> list[URLPattern]:
        site: Any = self.admin_site  # type: ignore[attr-defined]

        def address(name: str, view: Any) -> URLPattern:
            below = f"{name}/" if name else ""
            full = f"points_pointrule_editor_{name}" if name else "points_pointrule_editor"
            return path(f"editor/<int:program_id>/{below}", site.admin_view(view), name=full)

        return [
            address("", self.editor),
            address("save", require_POST(self.save)),
            address("words", require_POST(self.words)),
            address("try", require_POST(self.try_out)),
            address("partners", require_GET(self.partners)),
        ]

    def _program(self, request: HttpRequest, program_id: int) -> Program:
        program = get_object_or_404(Program, pk=program_id)
        if not may_edit(request):
            raise PermissionDenied
        return program

    # --- The page ---------------------------------------------------------------------------------

    def editor(self, request: HttpRequest, program_id: int) -> HttpResponse:
        """Who may only look is led to the list. A form that is sent here comes from a browser without scripts."""
        program = get_object_or_404(Program, pk=program_id)
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if not may_edit(request):
            if request.method == "POST":
                raise PermissionDenied
            return HttpResponseRedirect(list_url(PointRule, program__id__exact=program.pk))
        rows = documents.rows(program)
        text, seen = json.dumps(rows, ensure_ascii=False, indent=2), documents.fingerprint(rows)
        problems: list[Problem] = []
        if request.method == "POST":
            text, seen = request.POST.get("points", ""), request.POST.get("seen", "")
            try:
                keep(program, _from_text(text), seen, request)
            except PointTableError as refusal:
                problems = list(refusal.problems)
            except ProgramError as refusal:
                problems = [Problem("", str(refusal))]
            else:
                return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": PointRule._meta, "title": gettext("Points table of “%(program)s”") % {"program": program},
            "text": text, "seen": seen, "problems": problems, "catalogue": catalogue(program), "is_popup": False,
            "back": list_url(PointRule, program__id__exact=program.pk),
            "addresses": [(name, reverse(f"admin:points_pointrule_editor_{name}", args=[program.pk])) for name in ADDRESSES],
        }  # fmt: skip
        return TemplateResponse(request, "admin/points/table_editor.html", context)

    # --- What the page asks -----------------------------------------------------------------------

    def save(self, request: HttpRequest, program_id: int) -> HttpResponse:
        """Keep all of the table, or nothing and say what is wrong: the next night grants by it."""
        program = self._program(request, program_id)
        try:
            sent = _sent(request)
            keep(program, sent["rows"], str(sent.get("seen", "")), request)
        except PointTableError as refusal:
            said = gettext("Not saved: what is marked has to be mended first.")
            return JsonResponse({"says": said, "problems": as_json(refusal.problems)}, status=409)
        except ProgramError as refusal:
            return JsonResponse({"says": str(refusal)}, status=409)
        seen = documents.fingerprint(documents.rows(program))
        return JsonResponse({"seen": seen, "says": gettext("Saved. The next night grants by it."), "problems": []})

    def words(self, request: HttpRequest, program_id: int) -> HttpResponse:
        """The sentences of the row that is shown, in each language, and everything that is wrong in the table."""
        program = self._program(request, program_id)
        try:
            sent = _sent(request)
        except ProgramError as refusal:
            return JsonResponse({"problem": str(refusal)}, status=400)
        shown = str(sent.get("shown", ""))
        row = next((row for number, row in enumerate(sent["rows"]) if f"points[{number}]" == shown), None)
        said = table.in_words(program, row) if row is not None else {}
        problems = table.problems(program, sent["rows"])
        return JsonResponse({"words": {shown: said} if said else {}, "problems": as_json(problems)})

    def try_out(self, request: HttpRequest, program_id: int) -> HttpResponse:
        """What a row of the table would grant one enrollment by tonight: how many in all, and its first facts."""
        program = self._program(request, program_id)
        try:
            sent = _sent(request)
        except ProgramError as refusal:
            return JsonResponse({"problem": str(refusal)}, status=400)
        enrollment = enrollment_of(program.pk, sent.get("enrollment"))
        number, rows = sent.get("row"), sent["rows"]
        if not isinstance(number, int) or not 0 <= number < len(rows):
            raise Http404
        wrong = table.shape_problems([rows[number]]) or list(table.sense_problems([rows[number]], program.currency))
        if wrong:
            return JsonResponse({"problem": wrong[0].says}, status=409)
        days: trying.Days = "year" if sent.get("days") == "year" else "own"
        made = trying.trial(enrollment=enrollment, row=rows[number], day=program_today(), days=days)
        return JsonResponse(trial_in_words(made, rows[number]))

    def partners(self, request: HttpRequest, program_id: int) -> HttpResponse:
        program = self._program(request, program_id)
        return JsonResponse({"partners": partners_named(program.pk, request.GET.get("q", ""))})


def may_edit(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("points.change_pointrule"))


def keep(program: Program, rows: list[documents.Document], seen: str, request: HttpRequest) -> None:
    """Raises PointTableError with what is wrong in the table itself, then what the service refuses."""
    if wrong := table.shape_problems(rows) or list(table.sense_problems(rows, program.currency)):
        raise PointTableError(wrong)
    services.set_point_rules(
        program=program, rows=[documents.row_asked(row) for row in rows], seen=seen,
        actor=request.user,  # type: ignore[arg-type]  # staff are signed in
    )  # fmt: skip


def catalogue(program: Program) -> dict[str, Any]:
    """Everything the script needs beside the table: lists with labels, which rows stand, and what limits categories."""
    return {
        **lists(program.currency, SHARED_TEXTS + TEXTS),
        "granted": {
            f"{rule.code} {rule.starts_on}": {"last": rule.last and rule.last.isoformat(), "claimed": rule.claimed}
            for rule in table.granted(program)
            if rule.last or rule.claimed
        },
        "capped": [_capped(measure) for measure in _measures_of_points(program)],
    }


def _measures_of_points(program: Program) -> Any:
    found = Measure.objects.filter(edition__program=program, definition__dataset="points")
    live = found.exclude(edition__state=Edition.State.RETIRED).select_related("edition")
    return live.order_by("-edition__starts_on", "position", "id")


def _capped(measure: Measure) -> dict[str, Any]:
    caps = measure.definition.get("caps", {})
    values = caps.get("values", {}) if caps.get("field") == "category" else {}
    is_draft = measure.edition.state == Edition.State.DRAFT
    return {
        "name": str(measure.name) or measure.key, "edition": str(measure.edition.name),
        "caps": [[selectors.category_name(code), exact(str(most))] for code, most in values.items()],
        "address": f"{editor_url(measure.edition)}#measures/{measure.key}" if is_draft else change_url(measure.edition),
    }  # fmt: skip


def trial_in_words(made: trying.Trial, row: documents.Document) -> dict[str, Any]:
    if made.first >= made.day:
        return {
            "figure": wording.points_in_words(0), "facts": [], "more": "",
            "notes": [gettext("The row starts on %(day)s: nothing falls into its days yet.") % {"day": day_shown(made.first)}],
        }  # fmt: skip
    left = made.count - len(made.lines)
    return {
        "figure": wording.points_in_words(int(made.points.scaleb(4))),
        "notes": [_counted(made, row), *_live(made)],
        "facts": [
            {
                "what": line.about or line.what, "day": day_shown(line.entry.granted_on), "why": " ".join(line.why),
                "points": exact(line.entry.points),
            }
            for line in made.lines
        ],
        "more": _("and %(count)s more") % {"count": quantity(left)} if left else "",
    }  # fmt: skip


def _counted(made: trying.Trial, row: documents.Document) -> str:
    words = {
        "count": quantity(made.count), "first": day_shown(made.first), "last": day_shown(made.last_day)
    }  # fmt: skip
    if not row.get("dataset"):
        return gettext("Days enrolled from %(first)s to %(last)s") % words
    if datasets.get(row["dataset"]).dated is None:
        said = ngettext("%(count)s fact that stands today", "%(count)s facts that stand today", made.count)
    else:
        said = ngettext(
            "%(count)s fact from %(first)s to %(last)s", "%(count)s facts from %(first)s to %(last)s", made.count
        )
    return said % words


def _live(made: trying.Trial) -> list[str]:
    if made.live == made.points:
        return []
    points = wording.points_in_words(int(made.live.scaleb(4)))
    return [gettext("Of these still count today: %(points)s") % {"points": points}]


def _sent(request: HttpRequest) -> dict[str, Any]:
    try:
        sent = json.loads(request.body)
    except ValueError:
        raise NotADocumentError(gettext("This is not JSON.")) from None
    document = sent.get("document") if isinstance(sent, dict) else None
    return {**sent, "rows": _rows(document.get("points"))} if isinstance(document, dict) else {"rows": _rows(None)}


def _from_text(text: str) -> list[documents.Document]:
    try:
        return _rows(json.loads(text))
    except json.JSONDecodeError as error:
        raise NotADocumentError(
            gettext("Line %(line)s, column %(column)s: this is not JSON (%(why)s).")
            % {"line": error.lineno, "column": error.colno, "why": error.msg}
        ) from None


def _rows(sent: Any) -> list[documents.Document]:
    """What every further step takes for granted: a list of mappings."""
    if isinstance(sent, list) and all(isinstance(one, dict) for one in sent):
        return sent
    raise NotADocumentError(gettext("This is not a points table."))


@admin.register(PointRule)
class PointRuleAdmin(TablePages, ReadOnlyAdmin):
    """Rows to look at; they are written in the editor of their program's table, or in its file."""

    list_display = ("name", "code", "category", "show_days", "show_brings", "show_expiry", "takes_claims", "program")
    list_select_related = ("program",)
    list_filter = ("program", "category")
    search_fields = ("code",)
    fields = ("program", "code", "name", "category", "starts_on", "ends_on", "show_sentence", "takes_claims")
    actions_list = ("edit_a_table",)
    actions_detail = ("edit_table",)

    def get_urls(self) -> list[URLPattern]:
        return [*self.table_urls(), *super().get_urls()]

    @display(description=_("days"), ordering="starts_on")
    def show_days(self, obj: PointRule) -> str:
        return selectors.days_in_words(obj)

    @display(description=_("brings"))
    def show_brings(self, obj: PointRule) -> str:
        return selectors.brings_in_words(obj)

    @display(description=_("counts for"))
    def show_expiry(self, obj: PointRule) -> str:
        return selectors.expiry_in_words(obj)

    @display(description=_("in words"))
    def show_sentence(self, obj: PointRule) -> str:
        said = wording.sentence(documents.row(obj), obj.program.currency)
        return " · ".join([said.says, *(one.says for one in said.children)])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "show_sentence"]

    # --- Buttons ----------------------------------------------------------------------------------

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return may_edit(request)

    @action(description=_("Edit the table"), icon="edit", permissions=["edit"])
    def edit_table(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = get_object_or_404(PointRule, pk=object_id)
        return HttpResponseRedirect(f"{table_url(rule.program_id)}#points/{rule.code}/{rule.starts_on}")

    @action(description=_("Edit the table"), icon="edit", permissions=["edit"])
    def edit_a_table(self, request: HttpRequest) -> HttpResponse:
        """Of the only program, or of the one that is chosen."""
        programs = list(Program.objects.order_by("id").values_list("pk", flat=True)[:2])
        if len(programs) == 1:
            return HttpResponseRedirect(table_url(programs[0]))

        def go(values: Mapping[str, Any]) -> str:
            return table_url(values["program"].pk)

        return ask(
            self, request, title=gettext("Edit the points table of a program"), form=ChooseProgram(request.POST or None),
            do=lambda _values: "", go=go, submit=gettext("Go on"), back=list_url(PointRule),
        )  # fmt: skip


def table_url(program_id: int) -> str:
    return reverse("admin:points_pointrule_editor", args=[program_id])
