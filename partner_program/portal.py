"""The portal's first screen, which mixes apps."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from partner_program.home import home as read_home
from partners.portal import Membership, portal_page
from tiers.portal import enrollment_of


@portal_page
def home(request: HttpRequest, membership: Membership) -> HttpResponse:
    context = read_home(membership, enrollment_of(request, membership))
    return render(request, "portal/home.html", {"membership": membership, **context})
