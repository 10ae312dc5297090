"""Records, scores, awards and plan targets from files."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imports import kinds
from imports.engine import Importer, Row
from imports.fields import Field, OpenFields, amount, capitals, code, day, key, short_text, text
from imports.upsert import keyed, there, upsert
from journal import services as journal
from partners.imports import count, partner_keys
from records.datasets import ATTRIBUTE
from records.errors import SAYS
from records.models import PlanTarget, Record, Score
from records.selectors import HOLDS_TOGETHER, IDENTITY
from tiers.models import Award

PARTNER = Field("partner", gettext_lazy("External id of the partner."), key, required=True)


def money(model: type[Model]) -> tuple[Field, ...]:
    return (
        Field("amount", gettext_lazy("Amount, with its currency."), amount, empty=None),
        Field("currency", gettext_lazy("Three letters (ISO 4217)."), capitals(text(model, "currency"))),
        Field("quantity", gettext_lazy("A number, four decimals at most."), amount, empty=None),
    )


class FactImporter(Importer):
    """Facts of partners. A bad combination is told by row, also where the file fills only a part of one that is there."""

    @abstractmethod
    def rows(self) -> QuerySet[Any]:
        """The rows that the file may add to and change."""

    def check(self, rows: list[Row]) -> None:
        partners = partner_keys(row.values["partner"] for row in rows)
        for row in rows:
            row.values["partner_id"] = partners.get(row.values.pop("partner"))
            if row.values["partner_id"] is None:
                self.refuse(row, "partner", _("there is no partner with this external id"))
            row.values |= self.fixed(row)
        self._check_whole([row for row in rows if not row.is_bad])

    def fixed(self, row: Row) -> dict[str, Any]:
        """Values that every row of the kind has."""
        return {}

    def _check_whole(self, rows: list[Row]) -> None:
        if not rows:
            return
        identity = IDENTITY[self.model]
        held = there([row.values for row in rows], among=self.rows(), key=identity)
        for row in rows:
            before = held.get(keyed(row.values, identity))
            self.complete(row, before)
            whole = {**(vars(before) if before is not None else {}), **row.values}
            for name, problem in HOLDS_TOGETHER[self.model](whole).items():
                self.refuse(row, name, str(SAYS[problem]))

    def complete(self, row: Row, before: Any) -> None:
        """What a row says beside its cells, `before` being the row that is there."""

    def save(self, rows: list[Row]) -> None:
        outcome = upsert([row.values for row in rows], into=self.rows(), key=IDENTITY[self.model])
        count(self, outcome)
        journal.record_many(
            journal.entry(
                verb=f"{self.model._meta.label_lower}.changed", subject=change.row, actor=self.actor,
                partner_id=change.row.partner_id, before=change.before, after=change.after,  # type: ignore[attr-defined]
            )
            for change in outcome.changed.values()
        )  # fmt: skip


def without_idle_currency(row: Row, before: Any) -> None:
    """Where there is no amount there is no currency either, though the mapping may give every row one."""
    known = row.values.get("amount", before.amount if before else None)
    if "currency" in row.values and known is None:
        row.values["currency"] = ""


class RecordImporter(FactImporter):
    """The attributes that a mapping fills change, others of the same record stay; an empty cell takes one away."""

    kind: ClassVar[str] = "records"
    label: ClassVar[Any] = gettext_lazy("Records")
    position: ClassVar[int] = 60
    model: ClassVar[type[Record]] = Record
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("Its key in the system it comes from."), text(Record, "external_id"), required=True),
        PARTNER,
        Field("kind", gettext_lazy("As measures name it: installation."), code(Record, "kind"), required=True),
        Field("occurred_on", gettext_lazy("Day it occurred."), day, required=True),
        Field("name", gettext_lazy("Name."), text(Record, "name")),
        Field("starts_on", gettext_lazy("First day it stands; empty: the day it occurred."), day, empty=None),
        Field("ends_on", gettext_lazy("First day without it; empty: without end."), day, empty=None),
        *money(Record),
    )  # fmt: skip
    open_fields: ClassVar[OpenFields] = OpenFields(ATTRIBUTE, gettext_lazy("A text that rules read."), short_text)

    def rows(self) -> QuerySet[Record]:
        return Record.objects.all()

    def complete(self, row: Row, before: Any) -> None:
        without_idle_currency(row, before)
        named = self.open_fields.named(row.values)
        if named:
            held = {**(before.attributes if before else {}), **named}
            row.values = {name: value for name, value in row.values.items() if not name.startswith(ATTRIBUTE)}
            row.values["attributes"] = {name: value for name, value in sorted(held.items()) if value}


class ScoreImporter(FactImporter):
    kind: ClassVar[str] = "scores"
    label: ClassVar[Any] = gettext_lazy("Scores")
    position: ClassVar[int] = 70
    model: ClassVar[type[Score]] = Score
    identity: ClassVar[tuple[str, ...]] = ("partner", "kind", "scope", "scored_on")
    fields: ClassVar[tuple[Field, ...]] = (
        PARTNER,
        Field("kind", gettext_lazy("As measures name it: satisfaction."), code(Score, "kind"), required=True),
        Field("value", gettext_lazy("A number, four decimals at most."), amount, required=True),
        Field("scored_on", gettext_lazy("Day of the score."), day, required=True),
        Field("scope", gettext_lazy("A product line or country, where it is about one."), text(Score, "scope")),
        Field("source", gettext_lazy("Who scored it."), text(Score, "source")),
    )

    def rows(self) -> QuerySet[Score]:
        return Score.objects.all()

    def fixed(self, row: Row) -> dict[str, Any]:
        return {"scope": row.values.get("scope", "")}


class AwardImporter(FactImporter):
    """Awards that are held elsewhere. Those that staff granted or nights gave are not touched."""

    kind: ClassVar[str] = "awards"
    label: ClassVar[Any] = gettext_lazy("Awards")
    position: ClassVar[int] = 80
    model: ClassVar[type[Award]] = Award
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("Its key in the system it comes from."), text(Award, "external_id"), required=True),
        PARTNER,
        Field("code", gettext_lazy("As measures name it: cloud-specialist."), code(Award, "code"), required=True),
        Field("starts_on", gettext_lazy("First day it is held."), day, required=True),
        Field("ends_on", gettext_lazy("First day without it; empty: without end."), day, empty=None),
        Field("grade", gettext_lazy("Grade, where it has some."), text(Award, "grade")),
        Field("scope", gettext_lazy("A country or region, where it is held for one."), text(Award, "scope")),
        Field("issuer", gettext_lazy("Who gave it."), text(Award, "issuer")),
    )  # fmt: skip

    def rows(self) -> QuerySet[Award]:
        return Award.objects.filter(origin=Award.Origin.IMPORTED)

    def fixed(self, row: Row) -> dict[str, Any]:
        return {"origin": Award.Origin.IMPORTED.value}


class PlanTargetImporter(FactImporter):
    kind: ClassVar[str] = "plan_targets"
    label: ClassVar[Any] = gettext_lazy("Plan targets")
    position: ClassVar[int] = 90
    model: ClassVar[type[PlanTarget]] = PlanTarget
    identity: ClassVar[tuple[str, ...]] = ("partner", "key", "starts_on")
    fields: ClassVar[tuple[Field, ...]] = (
        PARTNER,
        Field("key", gettext_lazy("As measures name it: revenue."), code(PlanTarget, "key"), required=True),
        Field("starts_on", gettext_lazy("First day of its period."), day, required=True),
        Field("ends_on", gettext_lazy("First day after its period."), day, required=True),
        *money(PlanTarget),
    )

    def rows(self) -> QuerySet[PlanTarget]:
        return PlanTarget.objects.all()

    def complete(self, row: Row, before: Any) -> None:
        without_idle_currency(row, before)


IMPORTERS: Sequence[type[Importer]] = (RecordImporter, ScoreImporter, AwardImporter, PlanTargetImporter)


def register() -> None:
    for importer in IMPORTERS:
        kinds.register(importer)
