"""Who posts the adjustment that an accepted dispute is granted."""

from collections.abc import Callable

from commissions.models import Earning

# post(partner, program, amount, currency, earned_on, category, reason, author, approver, about_earning), as keywords.
Post = Callable[..., Earning]
_posts: list[Post] = []


def register_adjuster(post: Post) -> None:
    """`post` appends one line to the ledger, in the caller's transaction, and returns it. The last one registered is asked."""
    _posts.append(post)


def adjuster() -> Post | None:
    return _posts[-1] if _posts else None
