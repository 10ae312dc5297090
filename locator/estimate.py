"""“Estimate your tier”: a candidate without an account tells its figures, and the published rules answer."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from babel import Locale
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from commissions.selectors import rates_in_force
from common.periods import program_today
from locator.selectors import EXAMPLE_SALE
from tiers import checklist, lexicon, rules, selectors, what_if, wording
from tiers.lexicon import Lexicon
from tiers.models import Measure, Program
from tiers.rules import Condition, Rulebook

MOST = Decimal(10) ** 12


class EstimateForm(forms.Form):
    """The figures that the rules read, and what they ask about the partner. Empty is nothing; the address holds it all."""

    def __init__(self, data: Any, *, words: Lexicon, book: Rulebook) -> None:
        super().__init__(data)
        for measure in what_if.questions(words, book):
            self.fields[measure.key] = _figure(measure, words)
        for name, choices in _traits(words, book):
            self.fields[f"is-{name}"] = forms.ChoiceField(
                label=wording.trait(name), choices=[("", "–"), *choices], required=False
            )

    def figures(self) -> dict[str, Decimal]:
        return {
            name: value for name, value in self.cleaned_data.items() if not name.startswith("is-") and value is not None
        }

    def traits(self) -> dict[str, str]:
        return {name[3:]: value for name, value in self.cleaned_data.items() if name.startswith("is-") and value}


def _figure(measure: Measure, words: Lexicon) -> forms.DecimalField:
    unit, span = words.units[measure.key], wording.span(measure.key, words)
    is_amount, is_count = unit == "amount", unit == "count"
    label = f"{measure.name} ({words.currency})" if is_amount else str(measure.name)
    return forms.DecimalField(
        label=label, required=False, min_value=Decimal(0), max_value=MOST, help_text=span,
        decimal_places=0 if is_count else 4,
        widget=forms.NumberInput(attrs={"inputmode": "numeric" if is_count else "decimal", "placeholder": "0"}),
    )  # fmt: skip


def _traits(words: Lexicon, book: Rulebook) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """What conditions ask about the partner, with the values that make a difference."""
    asked: dict[str, set[str]] = {}
    for node in book.nodes():
        if isinstance(node, Condition) and node.trait not in what_if.TOLD_BY_THE_DAY:
            asked.setdefault(node.trait, set()).update(node.values)
    if "country" in asked or "country_group" in asked:
        groups = words.edition.country_groups.values()
        codes = asked.pop("country", set()) | {code for group in groups for code in group}
        asked.pop("country_group", None)
        names = Locale.parse((get_language() or "en").split("-")[0]).territories
        choices = sorted(((code, str(names.get(code, code))) for code in codes), key=lambda one: one[1])
        yield "country", choices
    for name, values in sorted(asked.items()):
        yield name, [(value, value) for value in sorted(values)]


def estimate(request: HttpRequest, slug: str) -> HttpResponse:
    """The questions; with answers in the address, the tier that the published edition would give and what it still takes."""
    today = program_today()
    program = Program.objects.public().filter(slug=slug).first()
    edition = selectors.edition_in_force(program, today) if program else None
    if program is None or edition is None:
        raise Http404
    edition.program = program
    words = lexicon.read(edition)
    book = words.rulebook()
    form = EstimateForm(request.GET or None, words=words, book=book)
    context: dict[str, Any] = {"program": program, "edition": edition, "form": form}
    if form.is_bound and form.is_valid():
        context |= _answer(form, words, book, program)
    return render(request, "locator/estimate.html", context)


def _answer(form: EstimateForm, words: Lexicon, book: Rulebook, program: Program) -> dict[str, Any]:
    today = program_today()
    case = what_if.of_a_candidate(words, form.figures(), form.traits(), today)
    earned = rules.highest_earned(book, case.facts)
    following = next((level for level in book.levels if level.rank > earned.rank and level.earn), None)
    tiers = {tier.code: tier for tier in words.tiers}
    rate = rates_in_force(program, today).share(earned.code)
    return {
        "earned": tiers[earned.code],
        "ladder": words.tiers,
        "following": tiers[following.code] if following else None,
        "rows": checklist.rows(rules.check(following.earn, case.facts), case) if following and following.earn else (),
        "gives": selectors.benefits_of(tiers[earned.code]),
        "rate": rate,
        "example_sale": EXAMPLE_SALE,
        "example": None if rate is None else EXAMPLE_SALE * rate,
        "to_confirm": tiers[earned.code].confirm,
    }
