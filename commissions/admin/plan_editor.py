"""The editor of a plan's draft: its page, and what the page asks while staff type: sentences and problems.

As the editor of an edition (tiers/admin/editor.py): without scripts the document's parts are text areas sent as a form; with them
static/js/plan-editor.js builds lists and buttons over the same document.
"""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.dates import MONTHS
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from commissions import events, plan_drafting, plan_words
from commissions.admin.plan_texts import TEXTS
from commissions.models import Plan
from common.admin import change_url
from common.errors import ProgramError
from leads.models import Product
from records.models import PlanTarget
from tiers.admin import catalogue as shared
from tiers.admin.editor_texts import TEXTS as SHARED_TEXTS
from tiers.drafting import Problem, fingerprint
from training.models import Certification

PART_NAMES = {"plan": _("The whole plan"), "rules": _("Rules")}
CHOICES_SHOWN = 200  # more products or certifications than these are typed
PAYS = [("share", _("a share")), ("fixed", _("so much for each")), ("unit", _("so much for each piece"))]
OVER = [("month", _("a month")), ("quarter", _("a quarter")), ("half_year", _("a half-year")), ("year", _("a year")),
        ("target", _("the plan target’s period"))]  # fmt: skip
BASES = [("net", _("the net amount")), ("margin", _("the margin")), ("recurring", _("the recurring amount")),
         ("earned", _("what the partner earns by it"))]  # fmt: skip
TO = [("sponsor", _("the partner’s sponsor")), ("second_sponsor", _("the sponsor’s sponsor"))]


class NotADocumentError(ProgramError):
    """What was sent is not the document of a plan."""

    code = "not_a_document"


class PlanEditorPages:
    """The addresses below a plan's own page. All but the page itself are for drafts, and for who may change them."""

    def editor_urls(self) -> list[URLPattern]:
        site: Any = self.admin_site  # type: ignore[attr-defined]
        return [
            path("<int:object_id>/editor/", site.admin_view(self.editor), name="commissions_plan_editor"),
            path("<int:object_id>/editor/save/", site.admin_view(require_POST(self.save)), name="commissions_plan_editor_save"),
            path("<int:object_id>/editor/words/", site.admin_view(require_POST(self.words)), name="commissions_plan_editor_words"),
        ]  # fmt: skip

    def _plan(self, object_id: int) -> Plan:
        return get_object_or_404(Plan.objects.select_related("program"), pk=object_id)

    def _draft(self, request: HttpRequest, object_id: int) -> Plan:
        plan = self._plan(object_id)
        if not self.may_edit(request, plan):
            raise PermissionDenied
        return plan

    def may_edit(self, request: HttpRequest, plan: Plan) -> bool:
        return plan.state == Plan.State.DRAFT and request.user.has_perm("commissions.change_plan")

    def editor(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A published plan is read on its own page. A form that is sent here comes from a browser without scripts."""
        plan = self._plan(object_id)
        if not self.may_edit(request, plan):
            if request.method == "POST" or not self.has_view_permission(request, plan):  # type: ignore[attr-defined]
                raise PermissionDenied
            return HttpResponseRedirect(change_url(plan))
        document = plan_drafting.read(plan)
        texts = {part: json.dumps(document[part], ensure_ascii=False, indent=2) for part in plan_drafting.PARTS}
        seen, problems = fingerprint(document), plan_drafting.problems(plan, document)
        if request.method == "POST":
            texts = {part: request.POST.get(part, "") for part in plan_drafting.PARTS}
            seen = request.POST.get("seen", "")
            try:
                plan_drafting.save(plan=plan, document=_from_texts(texts), seen=seen, actor=request.user)  # type: ignore[arg-type]
            except ProgramError as refusal:
                problems = [Problem("", str(refusal))]
            else:
                return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": Plan._meta, "title": gettext("Rules of “%(plan)s”") % {"plan": plan}, "is_popup": False,
            "parts": [(part, PART_NAMES[part], texts[part]) for part in plan_drafting.PARTS], "seen": seen,
            "problems": problems, "catalogue": _catalogue(plan), "back": change_url(plan), "script": "js/plan-editor.js",
            "back_text": gettext("To the plan: try a sale, try it out, publish"),
            "addresses": [
                (name, reverse(f"admin:commissions_plan_editor_{name}", args=[plan.pk])) for name in ("save", "words")
            ],
        }  # fmt: skip
        return TemplateResponse(request, "admin/editor.html", context)

    def save(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Keep the draft. What keeps it from being published is told, and does not keep it from being saved."""
        plan = self._draft(request, object_id)
        try:
            sent = _sent(request)
            kept = plan_drafting.save(
                plan=plan, document=sent["document"], seen=str(sent.get("seen", "")),
                actor=request.user,  # type: ignore[arg-type]  # staff are signed in
            )  # fmt: skip
        except ProgramError as refusal:
            return JsonResponse({"says": str(refusal)}, status=409)
        problems = plan_drafting.problems(plan, kept)
        said = gettext("Saved. What is marked has to be mended before it can be published.") if problems else gettext("Saved")  # fmt: skip
        return JsonResponse({"seen": fingerprint(kept), "says": said, "problems": _as_json(problems)})

    def words(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The sentence of each rule, in each language, and everything that is wrong in the document."""
        plan = self._draft(request, object_id)
        try:
            document = _sent(request)["document"]
        except ProgramError as refusal:
            return JsonResponse({"problem": str(refusal)}, status=400)
        said = {
            "words": plan_drafting.in_words(plan, document),
            "problems": _as_json(plan_drafting.problems(plan, document)),
        }
        return JsonResponse(said)


def editor_url(plan: Plan) -> str:
    return reverse("admin:commissions_plan_editor", args=[plan.pk])


def _as_json(problems: Any) -> list[dict[str, str]]:
    return [{"path": one.path, "says": one.says} for one in problems]


def _sent(request: HttpRequest) -> dict[str, Any]:
    try:
        sent = json.loads(request.body)
    except ValueError:
        raise NotADocumentError(gettext("This is not JSON.")) from None
    return {**sent, "document": _document(sent.get("document"))} if isinstance(sent, dict) else _document(None)


def _from_texts(texts: dict[str, str]) -> dict[str, Any]:
    document = {}
    for part, text in texts.items():
        try:
            document[part] = json.loads(text)
        except json.JSONDecodeError as error:
            raise NotADocumentError(
                gettext("%(part)s: line %(line)s, column %(column)s is not JSON (%(why)s).")
                % {"part": PART_NAMES[part], "line": error.lineno, "column": error.colno, "why": error.msg}
            ) from None
    return _document(document)


def _document(sent: Any) -> dict[str, Any]:
    """What every further step takes for granted: a head with a name, and a list of rules with a code."""
    rules = sent.get("rules") if isinstance(sent, dict) else None
    if isinstance(rules, list) and all(isinstance(rule, dict) for rule in rules) and _is_head(sent.get("plan")):
        return {"plan": sent["plan"], "rules": rules}
    raise NotADocumentError(gettext("This is not the document of a plan."))


def _is_head(sent: Any) -> bool:
    return (
        isinstance(sent, dict)
        and isinstance(sent.get("name"), dict)
        and all(isinstance(text, str) for text in sent["name"].values())
    )


# --- What may be chosen ---------------------------------------------------------------------------


def _catalogue(plan: Plan) -> dict[str, Any]:
    """Everything the script needs beside the document, with labels in the reader's language. A fixed number of queries."""
    language = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
    tiers = shared.pairs(plan_drafting.tiers_of(plan).items())
    choices = {
        "product": _listed(Product.objects.order_by("external_id"), "external_id"),
        "certification": _listed(Certification.objects.order_by("code"), "code"),
        "country": shared.countries(language), "lead_country": shared.countries(language),
        "currency": shared.currencies(language), "tier": tiers,
    }  # fmt: skip
    return {
        "texts": {text: gettext(text) for text in (*SHARED_TEXTS, *TEXTS)},
        "language": language,
        "languages": shared.pairs(settings.LANGUAGES),
        "currency": plan.program.currency,
        "datasets": [_dataset(one, choices) for one in events.EVENTS.values()],
        "filter_operators": {unit: shared.pairs(known) for unit, known in shared.FILTER_OPERATORS.items()},
        "filter_groups": shared.pairs(shared.FILTER_GROUPS),
        "currencies": shared.currencies(language),
        "months": [str(MONTHS[number]) for number in range(1, 13)],
        "events": [
            {
                "key": one.key, "label": str(one.label), "bases": list(one.bases),
                "customers": one.customer_since is not events.NO_DAY,
            }
            for one in events.EVENTS.values()
        ],
        "tiers": tiers,
        "pays": shared.pairs(PAYS),
        "bases": shared.pairs(BASES),
        "over": shared.pairs(OVER),
        "to": shared.pairs(TO),
        "limits": shared.pairs((key, plan_words.OVER[key]) for key in plan_words.OF_LIMITS),
        "targets": list(PlanTarget.objects.order_by("key").values_list("key", flat=True).distinct()[:20]),
    }  # fmt: skip


def _listed(rows: Any, key: str) -> list[list[str]]:
    """Rows by a key with their names; none where there are too many for a list."""
    found = list(rows[: CHOICES_SHOWN + 1])
    if len(found) > CHOICES_SHOWN:
        return []
    return [[getattr(one, key), f"{getattr(one, key)} · {one.name}"] for one in found]


def _dataset(event: events.Event, choices: dict[str, list[list[str]]]) -> dict[str, Any]:
    said = shared.dataset(event.dataset)
    for field in said["fields"]:
        if not field.get("choices") and field["unit"] == "text" and choices.get(field["key"]):
            field["choices"] = choices[field["key"]]
    return {**said, "attributes": event is events.ACTIVITY, "traits": True}
