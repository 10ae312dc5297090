"""The editor of a draft: its page, and what the page asks while staff type: sentences, problems, figures, partners.

The page holds the draft as one document. Without scripts its parts are text areas that are sent as a form; with them
static/js/edition-editor.js builds lists and buttons over the same document.
"""

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from common.admin import change_url
from common.errors import ProgramError
from common.periods import program_today
from tiers import drafting, measure_words, sampling
from tiers.admin.catalogue import catalogue
from tiers.errors import DraftShapeError
from tiers.models import Edition, Enrollment

PARTNERS_SHOWN = 12
PART_NAMES = {
    "tiers": _("Tiers and rules"),
    "distinctions": _("Distinctions"),
    "measures": _("Measures"),
    "life": _("Life of a tier"),
    "country_groups": _("Country groups"),
    "exchange": _("Exchange table"),
}


class NotADocumentError(ProgramError):
    """What was sent is not the document of an edition."""

    code = "not_a_document"


class EditorPages:
    """The addresses below an edition's own page. All but the page itself are for drafts, and for who may change them."""

    def editor_urls(self) -> list[URLPattern]:
        site: Any = self.admin_site  # type: ignore[attr-defined]

        def address(name: str, view: Any) -> URLPattern:
            below = "" if name == "editor" else f"{name}/"
            full = "tiers_edition_editor" if name == "editor" else f"tiers_edition_editor_{name}"
            return path(f"<int:object_id>/editor/{below}", site.admin_view(view), name=full)

        return [
            address("editor", self.editor),
            address("save", require_POST(self.save)),
            address("words", require_POST(self.words)),
            address("value", require_POST(self.value)),
            address("partners", require_GET(self.partners)),
        ]

    def _draft(self, request: HttpRequest, object_id: int) -> Edition:
        edition = get_object_or_404(Edition.objects.select_related("program"), pk=object_id)
        if not self.has_change_permission(request, edition):  # type: ignore[attr-defined]
            raise PermissionDenied
        return edition

    # --- The page ---------------------------------------------------------------------------------

    def editor(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A published edition is read on its own page. A form that is sent here comes from a browser without scripts."""
        edition = get_object_or_404(Edition.objects.select_related("program"), pk=object_id)
        if not self.has_view_permission(request, edition):  # type: ignore[attr-defined]
            raise PermissionDenied
        if not self.has_change_permission(request, edition):  # type: ignore[attr-defined]
            if request.method == "POST":
                raise PermissionDenied
            return HttpResponseRedirect(change_url(edition))
        document = drafting.read(edition)
        texts = {part: json.dumps(document[part], ensure_ascii=False, indent=2) for part in drafting.PARTS}
        seen, problems = drafting.fingerprint(document), drafting.problems(edition, document)
        if request.method == "POST":
            texts = {part: request.POST.get(part, "") for part in drafting.PARTS}
            seen = request.POST.get("seen", "")
            try:
                kept = _from_texts(texts)
                drafting.save(edition=edition, document=kept, seen=seen, actor=request.user)  # type: ignore[arg-type]
            except DraftShapeError as refusal:
                problems = list(refusal.problems)
            except ProgramError as refusal:
                problems = [drafting.Problem("", str(refusal))]
            else:
                return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": Edition._meta, "title": gettext("Rules of “%(edition)s”") % {"edition": edition}, "edition": edition,
            "parts": [(part, PART_NAMES[part], texts[part]) for part in drafting.PARTS], "seen": seen,
            "problems": problems, "catalogue": catalogue(edition), "back": change_url(edition), "is_popup": False,
            "script": "js/edition-editor.js", "back_text": gettext("To the edition: check, publish, copy"),
            "addresses": [
                (name, reverse(f"admin:tiers_edition_editor_{name}", args=[edition.pk]))
                for name in ("save", "words", "value", "partners")
            ],
        }  # fmt: skip
        return TemplateResponse(request, "admin/editor.html", context)

    # --- What the page asks -----------------------------------------------------------------------

    def save(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Keep the draft. What keeps it from being published is told, and does not keep it from being saved."""
        edition = self._draft(request, object_id)
        try:
            sent = _sent(request)
            kept = drafting.save(
                edition=edition, document=sent["document"], seen=str(sent.get("seen", "")),
                actor=request.user,  # type: ignore[arg-type]  # staff are signed in
            )  # fmt: skip
        except DraftShapeError as refusal:
            said = gettext("Not saved: what is missing is marked.")
            return JsonResponse({"says": said, "problems": as_json(refusal.problems)}, status=409)
        except ProgramError as refusal:
            return JsonResponse({"says": str(refusal)}, status=409)
        problems = drafting.problems(edition, kept)
        said = gettext("Saved. What is marked has to be mended before it can be published.") if problems else gettext("Saved")  # fmt: skip
        return JsonResponse({"seen": drafting.fingerprint(kept), "says": said, "problems": as_json(problems)})

    def words(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The sentences of the part that is shown, in each language, and everything that is wrong in the document."""
        edition = self._draft(request, object_id)
        try:
            sent = _sent(request)
        except ProgramError as refusal:
            return JsonResponse({"problem": str(refusal)}, status=400)
        document, shown = sent["document"], str(sent.get("shown", ""))
        said = drafting.rules_in_words(edition, document, shown)
        if shown.startswith("measures["):
            said |= _measure_in_words(edition, document, shown)
        return JsonResponse({"words": said, "problems": as_json(drafting.problems(edition, document))})

    def value(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What a measure of the document comes to today for one enrollment."""
        edition = self._draft(request, object_id)
        try:
            sent = _sent(request)
            enrollment = enrollment_of(edition.program_id, sent.get("enrollment"))
            if wrong := drafting.measure_problems(edition, sent["document"], str(sent.get("measure", ""))):
                return JsonResponse({"problem": wrong[0].says}, status=409)
            seen = sampling.sample(
                lexicon=drafting.lexicon_of(edition, sent["document"]), key=str(sent.get("measure", "")),
                enrollment=enrollment, day=program_today(),
            )  # fmt: skip
        except ProgramError as refusal:
            return JsonResponse({"problem": str(refusal)}, status=409)
        return JsonResponse({"figure": seen.figure, "window": seen.window, "members": seen.members})

    def partners(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The first enrollments of the program whose partner's name has what was typed in it."""
        edition = self._draft(request, object_id)
        return JsonResponse({"partners": partners_named(edition.program_id, request.GET.get("q", ""))})


def partners_named(program_id: int, part: str) -> list[dict[str, Any]]:
    """The first of those enrolled today whose name has `part` in it, as the page's script chooses among them."""
    found = (
        Enrollment.objects.filter(program=program_id, partner__name__icontains=part)
        .in_force_on(program_today())
        .order_by("partner__name", "pk")
        .values_list("pk", "partner__name")[:PARTNERS_SHOWN]
    )
    return [{"id": pk, "name": name} for pk, name in found]


def as_json(problems: Any) -> list[dict[str, str]]:
    return [{"path": one.path, "says": one.says} for one in problems]


def enrollment_of(program_id: int, pk: Any) -> Enrollment:
    """The one that the page's script chose. Raises Http404 where the program has none such."""
    if not isinstance(pk, int):
        raise Http404
    mine = Enrollment.objects.filter(program=program_id).select_related("partner", "program")
    return get_object_or_404(mine, pk=pk)


def _measure_in_words(edition: Edition, document: dict[str, Any], shown: str) -> dict[str, Any]:
    lexicon = drafting.lexicon_of(edition, document)
    numbers = {f"measures[{number}]": one["key"] for number, one in enumerate(document["measures"])}
    definition = lexicon.definitions.get(numbers.get(shown, ""))
    if definition is None:
        return {}
    said = drafting.in_every_language(lambda: {"says": measure_words.describe(definition, lexicon), "children": []})
    return {shown: said} if said else {}


def _sent(request: HttpRequest) -> dict[str, Any]:
    try:
        sent = json.loads(request.body)
    except ValueError:
        raise NotADocumentError(gettext("This is not JSON.")) from None
    if not isinstance(sent, dict):
        raise NotADocumentError(gettext("This is not the document of an edition."))
    return {**sent, "document": _document(sent.get("document"))}


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
    """What every further step takes for granted: lists of things with a key and a name, and mappings."""
    if isinstance(sent, dict) and all(_fits(part, sent.get(part)) for part in drafting.PARTS):
        return {part: sent[part] for part in drafting.PARTS}
    raise NotADocumentError(gettext("This is not the document of an edition."))


def _fits(part: str, value: Any) -> bool:
    if part not in drafting.LISTS:
        return isinstance(value, dict)
    key = "key" if part == "measures" else "code"
    return isinstance(value, list) and all(
        isinstance(one, dict) and isinstance(one.get(key), str) and isinstance(one.get("name"), dict) for one in value
    )
