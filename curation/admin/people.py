"""Accounts, teams and who is in which, as an operator edits them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangosUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, BaseUserCreationForm, SetUnusablePasswordMixin, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from curation.models import Membership, Team, User
from curation.stages import people


class NewUserForm(SetUnusablePasswordMixin, BaseUserCreationForm):
    usable_password = SetUnusablePasswordMixin.create_usable_password_field(
        "Disabled: only a link lets this person in. Select the account in the list to make one."
    )

    class Meta:
        model = User
        fields = ("email", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].required = self.fields["password2"].required = False


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = ("email", "name", "password", "is_active", "is_staff", "is_superuser")


class PasswordForm(AdminPasswordChangeForm):
    def save(self, commit: bool = True) -> User:
        people.set_password(self.user, self.cleaned_data["password1"] if self.cleaned_data["set_usable_password"] else None)
        return self.user


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0


class WithMembers(admin.ModelAdmin):
    """Memberships change by the stage, whose rules hold for operators too: a team keeps an owner."""

    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the record refers to people and teams; an account is made inactive instead

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for made in formset.new_objects:
            people.add_member(made.team, made.user, made.role, request.user)
        for changed, fields in formset.changed_objects:
            if fields == ["role"]:
                people.change_role(changed, changed.role, request.user)
                continue
            people.add_member(changed.team, changed.user, changed.role, request.user)
            people.remove_member(Membership.objects.get(pk=changed.pk), request.user)
        for gone in formset.deleted_objects:
            people.remove_member(gone, request.user)


@admin.register(User)
class UserAdmin(WithMembers, DjangosUserAdmin):
    """Adding, the password form and its page are Django's own."""

    form, add_form, change_password_form = UserForm, NewUserForm, PasswordForm
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    fieldsets = ((None, {"fields": UserForm.Meta.fields}),)
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)
    actions = ("make_link",)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        people.save_account(obj, form.changed_data, request.user)

    @admin.action(description="Make a link that signs this person in once")
    def make_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        if queryset.count() != 1:
            messages.error(request, "Select one account.")
            return
        user = queryset.get()
        link = request.build_absolute_uri(reverse("enter", args=[people.sign_in_link(user, by=request.user)]))
        messages.success(request, f"For {user.email}, once, within 24 hours: {link}")


@admin.register(Team)
class TeamAdmin(WithMembers):
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    fields = ("name", "slug")
    readonly_fields = ("slug",)

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        if change:
            people.rename_team(Team.objects.get(pk=obj.pk), obj.name, request.user)
            return
        made = people.create_team(obj.name, None)
        obj.pk, obj.slug = made.pk, made.slug
