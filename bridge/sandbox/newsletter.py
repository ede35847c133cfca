"""The newsletter: the footer's form, links of mails, the choice in the account."""

from __future__ import annotations

from flask import Blueprint, abort

from bridge.sandbox import mails
from bridge.sandbox.people import SUBSCRIBED, UNCONFIRMED
from bridge.sandbox.signing import EMAIL, STALE_FORM, current_customer, put_on_list, sign_in_first, take_off_list
from bridge.sandbox.web import (
    Response,
    ajax_answer,
    back_url,
    form_key_is_valid,
    page,
    post_mail,
    redirect_to,
    request,
    say,
    shop_state,
    store_view,
    url,
)

blueprint = Blueprint("shop_newsletter", __name__)


@blueprint.post("/newsletter/subscriber/new/")
def subscribe() -> Response:
    """Take an address for the newsletter: 302 back; only the message tells success from failure."""
    email = request.form.get("email", "").strip()
    if not form_key_is_valid():
        say("error", STALE_FORM)
    elif not EMAIL.fullmatch(email):
        say("error", "Please enter a correct e-mail address.")
    elif shop_state().is_subscribed(email, store_view().website.id):
        say("error", "This e-mail address is on our list already.")
    elif put_on_list(email).status == SUBSCRIBED:
        say("success", "You are on the list. Letters go out when the tide is right.")
    else:
        say("success", "We have sent you a letter. Its link completes your subscription.")
    return redirect_to(back_url())


@blueprint.get("/newsletter/ajax/status")
def status() -> Response:
    """Tell the registration form whether an address is on the list."""
    return ajax_answer(
        {"subscribed": shop_state().is_subscribed(request.args.get("email", ""), store_view().website.id)}
    )


@blueprint.get("/newsletter/subscriber/confirm/id/<int:id_>/code/<code>/")
def confirm(id_: int, code: str) -> Response:
    """Complete a subscription by the link of a mail."""
    row = next((one for one in shop_state().subscribers if one.id == id_ and one.code == code), None)
    if row is None:
        say("error", "This is an invalid subscription confirmation code.")
    else:
        if row.status == UNCONFIRMED:
            post_mail(mails.newsletter(shop_state(), row, "success"))
        row.status = SUBSCRIBED
        say("success", "Your subscription is confirmed.")
    return redirect_to(url())


@blueprint.get("/newsletter/subscriber/unsubscribe/id/<int:id_>/code/<code>/")
def unsubscribe(id_: int, code: str) -> Response:
    """Take an address off the list by the link of a newsletter."""
    row = next((one for one in shop_state().subscribers if one.id == id_ and one.code == code), None)
    if row is None:
        say("error", "This is an invalid subscription ID.")
    else:
        shop_state().unsubscribe(row.email, row.view)
        post_mail(mails.newsletter(shop_state(), row, "un"))
        say("success", "You are off the list.")
    return redirect_to(back_url())


@blueprint.get("/newsletter/manage/")
def manage() -> Response:
    """Show the customer's newsletter choice."""
    customer = current_customer()
    if customer is None:
        return sign_in_first("newsletter/manage/")
    return page(
        "newsletter.html",
        title="Newsletter Subscriptions",
        body_class="account newsletter-manage-index page-layout-2columns-left",
        subscribed=shop_state().is_subscribed(customer.email, store_view().website.id),
    )


@blueprint.post("/newsletter/manage/save/")
def manage_save() -> Response:
    """Save the customer's newsletter choice; a change moves the customer's ``updated_at``."""
    customer, state = current_customer(), shop_state()
    if customer is None:
        return sign_in_first("newsletter/manage/")
    if not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(url("customer/account/"))
    wanted = bool(request.form.get("is_subscribed"))
    if wanted != state.is_subscribed(customer.email, store_view().website.id):
        customer.updated_at = state.now()
        if wanted:
            put_on_list(customer.email)
        else:
            take_off_list(customer.email)
    say("success", "Your newsletter choice is saved.")
    return redirect_to(url("customer/account/"))


@blueprint.get("/newsletter/")
def nothing() -> Response:
    """There is no page here."""
    abort(404)
