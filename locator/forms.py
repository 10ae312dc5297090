"""What visitors of the public pages fill in."""

import time
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from locator.selectors import Search
from places import gazetteer
from places.gazetteer import Place

RADII = (25, 50, 100, 250, 500)


class SearchForm(forms.Form):
    """The directory's conditions, all in the address. What is not known is left out, never an error page."""

    near = forms.CharField(label=_("Near"), required=False, max_length=100)
    within = forms.TypedChoiceField(
        label=_("Within"), required=False, coerce=int, empty_value="",
        choices=[(km, _("%(km)s km") % {"km": km}) for km in RADII],
    )  # fmt: skip
    text = forms.CharField(label=_("Name or speciality"), required=False, max_length=100)
    tier = forms.CharField(required=False, max_length=40)
    country = forms.CharField(required=False, max_length=2)
    kind = forms.CharField(required=False, max_length=100)

    def search(self) -> tuple[Search, list[Place]]:
        """The search, and the places that its `near` may mean, the one taken first."""
        self.is_valid()
        asked: dict[str, Any] = self.cleaned_data
        places = _apart(gazetteer.search(asked["near"], limit=8)) if asked.get("near") else []
        return (
            Search(
                text=asked.get("text", ""),
                tier=asked.get("tier", ""),
                country=asked.get("country", ""),
                kind=asked.get("kind", ""),
                near=places[0] if places else None,
                within_km=asked.get("within") or 100,
            ),
            places,
        )


def _apart(places: list[Place]) -> list[Place]:
    """The first of each region: what a visitor may have meant, not its suburbs."""
    first: dict[tuple[str, str], Place] = {}
    for place in places:
        first.setdefault((place.country, place.region), place)
    return list(first.values())[:4]


CONSENT = _(
    "I agree that my message and contact details are passed to this partner, so that it can answer me. "
    "They are used for nothing else."
)
SEALED_FOR = 12 * 3600  # seconds
FASTEST = 2  # seconds: nobody fills the form in sooner


_SEAL = signing.Signer(salt="locator.contact")


def _age(sealed: str) -> float:
    """Seconds since the form was opened; none for a seal that is not ours."""
    try:
        return time.time() - float(_SEAL.unsign_object(sealed)["at"])
    except signing.BadSignature:
        return -1.0


class ContactForm(forms.Form):
    """A prospect writes to a partner. `sealed` and `company_url` keep machines out without asking people anything."""

    contact_name = forms.CharField(label=_("Your name"), max_length=200)
    contact_email = forms.EmailField(label=_("E-mail address"))
    contact_phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    city = forms.CharField(label=_("Town"), max_length=120, required=False)
    need = forms.CharField(label=_("What do you need?"), max_length=4000, widget=forms.Textarea(attrs={"rows": 6}))
    consent = forms.BooleanField(label=CONSENT, error_messages={"required": _("Without it nobody could answer you.")})
    company_url = forms.CharField(required=False, widget=forms.HiddenInput)
    sealed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sealed"].initial = _SEAL.sign_object({"at": int(time.time())})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("company_url") or not FASTEST <= _age(cleaned.get("sealed", "")) <= SEALED_FOR:
            self.data = {**{name: self.data.get(name) for name in self.data}, "sealed": self.fields["sealed"].initial}
            raise forms.ValidationError(gettext("The form was sent too fast or too late. Please send it once more."))
        return cleaned

    def lead(self) -> dict[str, Any]:
        """What becomes of the lead, with the consent as it was shown."""
        names = ("contact_name", "contact_email", "contact_phone", "company", "city", "need")
        return {name: self.cleaned_data[name] for name in names} | {"consent_text": str(CONSENT)}
