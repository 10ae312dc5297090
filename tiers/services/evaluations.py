"""An evaluation between nights."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from tiers import evaluating, lexicon, placing, selectors, steps
from tiers.errors import EnrollmentOverError, NoEditionError
from tiers.models import Edition, Enrollment, Evaluation, Measured, Run
from tiers.situations import Night


@transaction.atomic
def evaluate_now(*, enrollment: Enrollment, on: date, actor: User | None = None) -> Evaluation:
    """Measure and evaluate one enrollment as the night of `on` would, and give it at once what it earns: as at a review,
    and without waiting for one. Nothing is lost: that is for the nights. Repeating changes nothing.

    Measures are taken as in a night, for everyone, so that ranks are right. Raises NoEditionError where no edition is in
    force on that day, EnrollmentOverError where the enrollment is not.
    """
    in_force = Enrollment.objects.in_force_on(on).select_related("program")
    one = in_force.select_for_update(of=("self",), no_key=True).filter(pk=enrollment.pk).first()
    if one is None:
        raise EnrollmentOverError(_("The enrollment is not in force on %(day)s.") % {"day": on})
    edition = selectors.edition_in_force(one.program, on)
    if edition is None:
        raise NoEditionError(
            _("Program “%(program)s” has no published edition in force on %(day)s.")
            % {"program": one.program, "day": on}
        )
    words = lexicon.read(edition)
    book = evaluating.Book.of(words, words.rulebook())
    run = _measured(one, edition=edition, on=on)
    judged = evaluating.judge_all(book, run, [one])
    Measured.objects.filter(run=run).delete()
    run.pk = None
    evaluations = evaluating.store(book, run, [one], judged)
    night = Night(one.program, edition, on, selectors.last_night(one.program, before=on))
    placing.Placing(night, words, book.rulebook, [one], judged, evaluations, actor).write()
    return Evaluation.objects.get(pk=evaluations[one.pk])


def _measured(enrollment: Enrollment, *, edition: Edition, on: date) -> Run:
    """A run that is not kept, with its figures in the work table: the night's own steps before anybody is placed."""
    run = Run(pk=-enrollment.pk, program=enrollment.program, day=on, edition=edition)
    for step in steps.of(run):
        if step.position < placing.POSITION:
            for bounds in step.cut(run, placing.BATCH):
                step.work(run, bounds)
    return run
