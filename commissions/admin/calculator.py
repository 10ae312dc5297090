"""Try a sale: what a sale that was not made, or another fact that there is, would earn by a plan, rule by rule."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commissions import events, plan_words, selectors, terms, trying
from commissions.admin.partner_field import ADDRESS, PartnerForm, partners_view
from commissions.models import Earning, Plan, Terms
from commissions.reckoning import Due, Nothing
from commissions.settling import days_after
from common.admin import change_url
from common.errors import ProgramError
from common.money import from_units, minor_unit
from common.periods import program_today
from common.templatetags import show
from leads.models import CURRENCY, Product, Sale, Sourced
from partners.models import Partner
from tiers.models import Tier

FACTS_SHOWN = 20


class TryForm(PartnerForm):
    """A sale that was not made."""

    sold_on = forms.DateField(label=_("Sold on"))
    amount = forms.DecimalField(label=_("Net amount"), max_digits=16, decimal_places=4)
    currency = forms.CharField(label=_("Currency"), max_length=3, validators=[CURRENCY])
    product = forms.ModelChoiceField(Product.objects.order_by("code", "id"), label=_("Product"), required=False)
    customer_name = forms.CharField(
        label=_("Customer"), max_length=200, required=False, help_text=_("As earlier sales name it; a new name is a new customer.")
    )  # fmt: skip
    quantity = forms.IntegerField(label=_("Quantity"), initial=1)
    cost = forms.DecimalField(label=_("Cost"), required=False, max_digits=16, decimal_places=4, help_text=_("For rules that pay on the margin."))  # fmt: skip
    recurring_amount = forms.DecimalField(
        label=_("Recurring amount"), required=False, max_digits=16, decimal_places=4,
        help_text=_("The part of the net amount that recurs."),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Kind"), choices=Sale.Kind.choices, initial=Sale.Kind.NEW)
    sourced = forms.ChoiceField(
        label=_("Who sourced it"), choices=[("", _("nobody says")), *Sourced.choices], required=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        amount, kind, currency = cleaned.get("amount"), cleaned.get("kind"), cleaned.get("currency")
        if amount is not None and (amount < 0) != (kind == Sale.Kind.REFUND) and amount != 0:
            self.add_error("amount", gettext("A refund has an amount below zero, and nothing else has."))
        if amount is not None and currency and amount % minor_unit(currency):
            self.add_error("amount", gettext("%(currency)s has no such amount.") % {"currency": currency})
        recurring = cleaned.get("recurring_amount")
        if recurring is not None and amount is not None and not min(amount, 0) <= recurring <= max(amount, 0):
            self.add_error("recurring_amount", gettext("It is a part of the net amount."))
        return cleaned


class FactForm(PartnerForm):
    """Whose facts of a kind to list."""


class CalculatorPages:
    """The calculator of a plan, and the partners that its field finds."""

    def calculator_urls(self) -> list[URLPattern]:
        site: Any = self.admin_site  # type: ignore[attr-defined]
        return [
            path("partners/", site.admin_view(partners_view), name=ADDRESS),
            path("<int:object_id>/try/", site.admin_view(self.calculator), name="commissions_plan_calculator"),
        ]

    def calculator(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Sent back, the form stays filled and the result stands beside it. Nothing is kept."""
        plan = get_object_or_404(Plan.objects.select_related("program"), pk=object_id)
        if not self.has_view_permission(request, plan):  # type: ignore[attr-defined]
            raise PermissionDenied
        event = events.EVENTS.get(request.GET.get("event", "sale"), events.SALE)
        is_sale = event is events.SALE
        asked = request.POST or None
        form: PartnerForm = TryForm(asked, initial=_initial(plan)) if is_sale else FactForm(asked)
        trial, facts = None, []
        if request.method == "POST" and form.is_valid():
            try:
                if is_sale:
                    trial = trying.try_sale(plan=plan, **form.cleaned_data)
                else:
                    facts = list(_facts(plan, event, form.cleaned_data["partner"]))
                    trial = _try_chosen(request, plan, event, form.cleaned_data["partner"], facts)
            except ProgramError as refusal:
                form.add_error(None, str(refusal))
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": Plan._meta, "title": gettext("Try “%(plan)s”") % {"plan": plan}, "is_popup": False, "plan": plan,
            "form": form, "event": event, "is_sale": is_sale, "back": change_url(plan),
            "kinds": [(one.key, one.label, one is event) for one in events.EVENTS.values()],
            "facts": facts, "asked_for_facts": not is_sale and form.is_bound and form.is_valid(),
            "result": in_words(trial) if trial else None,
        }  # fmt: skip
        return TemplateResponse(request, "admin/commissions/calculator.html", context)


def _initial(plan: Plan) -> dict[str, Any]:
    today = program_today()
    last = plan.ends_on
    day = max(today, plan.starts_on) if last is None or today < last else plan.starts_on
    return {
        "sold_on": day,
        "currency": plan.definition.get("currency") or plan.program.currency,
        "amount": Decimal(1000),
    }


# --- Facts that there are -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """A fact of a partner, to be tried."""

    key: int
    says: str
    on: date
    terms_on: date
    amount: str


def _facts(plan: Plan, event: events.Event, partner: Partner) -> Iterator[Known]:
    """The newest, with their days. One query."""
    columns = event.columns(with_customers=False)
    rows = event.dataset.rows(program_today()).filter(**{event.dataset.partner: partner.pk})
    if event.dataset.program is not None:
        rows = rows.filter(**{event.dataset.program: plan.program_id})
    wanted = {name: columns[name] for name in ("pay_on", "pay_terms_on", "pay_net", "pay_currency")}
    for row in rows.annotate(**wanted).exclude(pay_on=None).order_by("-pay_on", "-pk")[:FACTS_SHOWN]:
        amount = "" if row.pay_net is None else show.money(_decimal(row.pay_net), row.pay_currency)
        yield Known(row.pk, str(row), row.pay_on, row.pay_terms_on, amount)


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else from_units(value)


def _try_chosen(
    request: HttpRequest, plan: Plan, event: events.Event, partner: Partner, facts: list[Known]
) -> trying.Trial | None:
    chosen = next((one for one in facts if str(one.key) == request.POST.get("fact")), None)
    if chosen is None:
        return None
    return trying.try_fact(plan=plan, partner=partner, event=event.key, fact=chosen.key, terms_on=chosen.terms_on)


# --- In words -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paid:
    """One due of a trial, as people read it."""

    rule: str
    partner: str
    base: str
    rate: str
    tier: str
    amount: str
    available_on: date
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InWords:
    paid: tuple[Paid, ...]
    totals: tuple[str, ...]
    reasons: tuple[str, ...]  # why nothing
    tried: tuple[tuple[str, tuple[selectors.Tried, ...]], ...]  # by event
    effects: tuple[trying.Effect, ...]


def in_words(trial: trying.Trial) -> InWords:
    """Two queries."""
    plan, dues = trial.plan, trial.dues
    partners = Partner.objects.in_bulk({due.partner for due in dues})
    tiers = Tier.objects.in_bulk({due.terms.tier_id for due in dues if due.terms.tier_id})
    totals: dict[str, int] = {}
    for due in dues:
        totals[due.currency] = totals.get(due.currency, 0) + due.amount
    looked_at: dict[str, tuple[selectors.Tried, ...]] = {}
    for one in trial.results:
        kept = Terms(plan=plan, rule=one.terms.rule, reason=one.terms.reason, document=terms.document(one.terms))
        looked_at.setdefault(str(events.of(one.fact.event).label), tuple(selectors.tried(kept)))
    return InWords(
        paid=tuple(_paid(trial, due, partners, tiers) for due in dues),
        totals=tuple(show.money(from_units(units), currency) for currency, units in sorted(totals.items())),
        reasons=tuple(dict.fromkeys(
            str(selectors.REASONS[one.terms.reason]) for one in trial.results if isinstance(one, Nothing) and not dues
        )),
        tried=tuple(looked_at.items()), effects=trial.effects,
    )  # fmt: skip


def _paid(trial: trying.Trial, due: Due, partners: dict[int, Partner], tiers: dict[int, Tier]) -> Paid:
    definition = trial.plan.definition
    rule = next(one for one in definition["rules"] if one["code"] == due.rule.code)
    currency = definition.get("currency", "")
    line = Earning(
        partner_id=due.partner, owner=trial.partner, event=due.fact.event, currency=due.currency, detail=due.detail,
        terms=Terms(plan=trial.plan, rule=due.rule.code),
    )  # fmt: skip
    return Paid(
        rule=plan_words.rule(rule, currency).name or due.rule.code, partner=str(partners[due.partner]),
        base=_base(due), rate=_rate(due, rule, currency), tier=str(tiers.get(due.terms.tier_id or 0, "–")),
        amount=show.money(from_units(due.amount), due.currency),
        available_on=days_after(due.fact.on, definition.get("hold_days", 0)),
        notes=tuple(selectors.notes(line)),
    )  # fmt: skip


def _base(due: Due) -> str:
    if due.rule.pays != "share":
        return show.quantity(due.fact.quantity if due.rule.pays == "unit" else 1)
    earned = due.rule.base == "earned"
    return show.money(from_units(due.base), due.currency if earned else due.fact.currency)


def _rate(due: Due, rule: dict[str, Any], currency: str) -> str:
    if due.rule.banded is not None and not due.rule.banded.whole:
        return gettext("in bands")
    rate = Fraction(due.rate)
    return (
        plan_words.share(rate)
        if rule["pays"] == "share"
        else show.money(Decimal(rate.numerator) / rate.denominator, currency)
    )
