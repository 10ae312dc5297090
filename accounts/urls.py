"""Signing in and out, and passwords."""

from django.conf import settings
from django.contrib.auth import views
from django.urls import path, reverse_lazy

MAIL = {"SITE_URL": settings.SITE_URL, "VENDOR_NAME": settings.VENDOR_NAME}

app_name = "accounts"
urlpatterns = [
    path(
        "sign-in/",
        views.LoginView.as_view(template_name="accounts/sign_in.html", redirect_authenticated_user=True),
        name="sign-in",
    ),
    path("sign-out/", views.LogoutView.as_view(), name="sign-out"),
    path(
        "password/",
        views.PasswordChangeView.as_view(
            template_name="accounts/password_change.html", success_url=reverse_lazy("accounts:password-changed")
        ),
        name="password-change",
    ),
    path(
        "password/done/",
        views.PasswordChangeDoneView.as_view(template_name="accounts/password_done.html"),
        name="password-changed",
    ),
    path(
        "password/reset/",
        views.PasswordResetView.as_view(
            template_name="accounts/password_reset.html",
            email_template_name="accounts/mail/password_reset.txt",
            subject_template_name="accounts/mail/password_reset_subject.txt",
            extra_email_context=MAIL,
            success_url=reverse_lazy("accounts:password-reset-sent"),
        ),
        name="password-reset",
    ),
    path(
        "password/reset/sent/",
        views.PasswordResetDoneView.as_view(template_name="accounts/password_reset_sent.html"),
        name="password-reset-sent",
    ),
    path(
        "password/set/<uidb64>/<token>/",
        views.PasswordResetConfirmView.as_view(
            template_name="accounts/password_set.html", success_url=reverse_lazy("accounts:password-set-done")
        ),
        name="password-set",
    ),
    path(
        "password/set/done/",
        views.PasswordResetCompleteView.as_view(template_name="accounts/password_done.html"),
        name="password-set-done",
    ),
]
