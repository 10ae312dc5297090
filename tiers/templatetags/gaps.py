"""What is missing to keep a tier, for templates."""

from django import template

from tiers.gaps import gap_in_words

register = template.Library()
register.filter("gap_in_words", gap_in_words)
