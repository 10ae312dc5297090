"""The public address of notifications."""

from django.urls import path

from notifications import public

app_name = "notifications"
urlpatterns = [path("stop/<str:token>/", public.unsubscribe, name="unsubscribe")]
