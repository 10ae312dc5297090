"""Uses of benefits."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.money import PLACES
from common.periods import program_today
from journal import services as journal
from tiers import quantities
from tiers.entitlements import Entitlement, entitlements
from tiers.errors import BenefitNotGivenError, BenefitSpentError, BenefitUseError
from tiers.models import Benefit, BenefitUse, Enrollment


@transaction.atomic
def use_benefit(
    *,
    enrollment: Enrollment,
    code: str,
    on: date,
    quantity: Decimal = Decimal(1),
    note: str = "",
    external_id: str | None = None,
    actor: User | None = None,
) -> BenefitUse:
    """Count a use of the benefit on a day, for money so much of the program's currency.

    With an `external_id` repeating changes nothing; without one each call is a use. Two at once never use more than is
    there. Raises BenefitNotGivenError where the tier held on the day does not give it, BenefitSpentError with what is left
    where it asks for more, and BenefitUseError for a day to come, for no quantity, and for an `external_id` of another use.
    """
    # The enrollment row is the lock: what is left is read and used up in one go.
    Enrollment.objects.select_for_update(no_key=True).get(pk=enrollment.pk)
    asked = {"enrollment_id": enrollment.pk, "used_on": on, "quantity": quantity}
    if external_id and (known := _known(external_id, code, asked)):
        return known
    _expect(on, quantity)
    given = next(iter(entitlements(enrollment=enrollment, on=on, code=code)), None)
    if given is None or given.benefit is None:
        raise BenefitNotGivenError(
            _("The tier that is held on %(day)s does not give “%(benefit)s”.")
            % {"day": on, "benefit": _name(enrollment, code)}
        )
    if given.left is not None and quantity > given.left:
        raise BenefitSpentError(_too_much(given, quantity), left=given.left)
    use = _append({**asked, "benefit_id": given.benefit.pk, "note": note.strip(), "author": actor}, external_id)
    _tell("tiers.benefit.used", use, code, actor)
    return use


@transaction.atomic
def take_back_use(*, use: BenefitUse, note: str, actor: User | None = None) -> BenefitUse:
    """A use did not come about: take it back, whole, on its own day, and why. Repeating changes nothing.

    Raises BenefitUseError without a reason, and for what takes back another.
    """
    if not note.strip():
        raise BenefitUseError(_("Say why in a few words: whoever reads it later needs it."))
    if use.takes_back_id is not None:
        raise BenefitUseError(_("This takes back a use; record the use again instead."))
    Enrollment.objects.select_for_update(no_key=True).get(pk=use.enrollment_id)
    known = BenefitUse.objects.filter(takes_back=use).first()
    if known is not None:
        return known
    back = BenefitUse.objects.create(
        enrollment_id=use.enrollment_id, benefit_id=use.benefit_id, used_on=use.used_on, quantity=-use.quantity,
        takes_back=use, note=note.strip(), author=actor,
    )  # fmt: skip
    _tell("tiers.benefit.taken_back", back, use.benefit.code, actor)
    return back


def _expect(on: date, quantity: Decimal) -> None:
    if quantity <= 0:
        raise BenefitUseError(_("A use is of more than nothing; take one back where it did not come about."))
    if quantity != round(quantity, PLACES):
        raise BenefitUseError(_("%(amount)s has more than four decimals.") % {"amount": quantity})
    if on > program_today():
        raise BenefitUseError(_("A use counts from its day on: %(day)s is to come.") % {"day": on})


def _known(external_id: str, code: str, asked: dict[str, Any]) -> BenefitUse | None:
    known = BenefitUse.objects.filter(external_id=external_id).select_related("benefit").first()
    if known is not None and (
        known.benefit.code != code or any(getattr(known, name) != value for name, value in asked.items())
    ):
        raise _taken(external_id)
    return known


def _append(values: dict[str, Any], external_id: str | None) -> BenefitUse:
    try:
        with transaction.atomic():
            return BenefitUse.objects.create(external_id=external_id or None, **values)
    except IntegrityError:  # another enrollment's use took the external id meanwhile: the lock is each enrollment's own
        if external_id and BenefitUse.objects.filter(external_id=external_id).exists():
            raise _taken(external_id) from None
        raise


def _taken(external_id: str) -> BenefitUseError:
    return BenefitUseError(_("“%(external_id)s” is the external id of another use.") % {"external_id": external_id})


def _name(enrollment: Enrollment, code: str) -> str:
    benefit = Benefit.objects.filter(program=enrollment.program_id, code=code).first()
    return str(benefit.name) if benefit else code


def _too_much(given: Entitlement, quantity: Decimal) -> str:
    assert given.left is not None and given.benefit is not None  # noqa: S101, PT018  # there is a limit
    words = {
        "benefit": given.benefit.name,
        "asked": quantities.quantity_of(given.benefit, quantity, given.currency),
        "left": quantities.quantity_of(given.benefit, given.left, given.currency),
    }
    return _("Of “%(benefit)s” there is %(left)s left, and %(asked)s was asked for.") % words


def _tell(verb: str, use: BenefitUse, code: str, actor: User | None) -> None:
    after = {"benefit": code, "quantity": str(use.quantity), "on": use.used_on.isoformat(), "note": use.note}
    journal.record(
        verb=verb, subject=use, actor=actor, partner_id=use.enrollment.partner_id,
        after={name: value for name, value in after.items() if value},
    )  # fmt: skip
