"""The public pages, for search engines."""

from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.urls import reverse

from partners.models import Partner
from tiers.models import Program


class Pages(Sitemap):
    def items(self) -> list[str]:
        return ["locator:program", "locator:directory"]

    def location(self, item: str) -> str:
        return reverse(item)


class Programs(Sitemap):
    def items(self) -> QuerySet[Program]:
        return Program.objects.public().order_by("id")

    def location(self, item: Program) -> str:
        return reverse("locator:program-page", args=[item.slug])


class Partners(Sitemap):
    limit = 5000

    def items(self) -> QuerySet[Partner]:
        return Partner.objects.listed().order_by("id")

    def location(self, item: Partner) -> str:
        return reverse("locator:partner", args=[item.slug])


SITEMAPS = {"pages": Pages, "programs": Programs, "partners": Partners}
