"""Who may see the dashboard and act by it: whoever may use the control API, and no page of another origin."""

from __future__ import annotations

import re

import pytest
from werkzeug.test import Client

from helpers.dashboard import NAVIGATION, ROOT, Page, Reader
from helpers.fake import Fake
from paylera_mock.app import create_app
from paylera_mock.http.access import Access, ControlSettings

TOKEN = "a control token of at least this length"  # noqa: S105 - of this test alone
ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}
PAGES = ("requests", "requests/1", "tokens", "tokens/endpoint", "tokens/matrix", "namespaces", "nothing")


@pytest.fixture
def guarded() -> Reader:
    """Looks at a fake with a control token."""
    return Reader(Client(create_app(access=Access(control=ControlSettings(token=TOKEN)))))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_its_headers(reader: Reader, page: str) -> None:
    """Nothing is loaded from elsewhere, nothing inline runs, nobody frames it, and no copy is kept."""
    headers = reader.get(page).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    named = [headers[name] for name in ("X-Content-Type-Options", "Referrer-Policy", "Cache-Control")]
    assert named == ["nosniff", "same-origin", "no-store"]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_script_or_style_inside(reader: Reader, page: str) -> None:
    """The policy would refuse it, and something would not work."""
    elements = Page(reader.get(page).text).elements
    assert [tag for tag, given in elements if tag == "style" or (tag == "script" and "src" not in given)] == []
    assert [name for _, given in elements for name in given if name == "style" or name.startswith("on")] == []


@pytest.mark.parametrize(
    "headers",
    [
        ELSEWHERE,
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {**ELSEWHERE, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
    ],
    ids=["cross-site", "same-site", "frame", "origin", "no-origin"],
)
def test_other_origins_are_refused(reader: Reader, headers: dict[str, str]) -> None:
    """As by the control API: what a page shows is as good as a call."""
    answer = reader.get("requests", headers=headers)
    assert (answer.status_code, answer.json and answer.json["problem"]) == (403, "request.malformed")


def test_name_of_another_host_is_refused(reader: Reader) -> None:
    """A page may have its own name lead to this machine."""
    assert reader.get("requests", headers={"Host": "paylera.attacker.example"}).status_code == 421


def test_link_of_another_origin_leads_to_a_page(reader: Reader) -> None:
    """Somebody's notes may name the dashboard; what is seen there only its reader sees."""
    assert reader.get("requests", headers={**NAVIGATION, **ELSEWHERE}).status_code == 200


def test_form_of_another_origin_does_nothing(reader: Reader) -> None:
    """Neither as a navigation."""
    sent = {**NAVIGATION, **ELSEWHERE, "Origin": "https://attacker.example"}
    form = reader.form("tokens", "tok_serviceall/revoke")
    assert reader.client.post(form.action, data=form.fields, headers=sent).status_code == 403
    assert "tok_serviceall/revoke" in reader.get("tokens").text


@pytest.mark.parametrize("fields", [{}, {"csrf": ""}, {"csrf": "0" * 64}], ids=["none", "empty", "wrong"])
def test_form_that_no_page_made_does_nothing(reader: Reader, fields: dict[str, str]) -> None:
    """Whatever sends it: a program that means to act calls the control API."""
    answer = reader.client.post(f"{ROOT}/tokens/tok_serviceall/revoke", data=fields)
    assert answer.status_code == 403
    assert "load the page again" in answer.text
    assert "tok_serviceall/revoke" in reader.get("tokens").text


def test_get_of_an_action_does_nothing(reader: Reader) -> None:
    """A link, an image or a browser that looks ahead cannot act."""
    assert reader.get("tokens/tok_serviceall/revoke").status_code == 404


def test_control_token_is_asked_for(guarded: Reader) -> None:
    """On every page alike, and nothing of the page is told."""
    answer = guarded.get("tokens")
    assert answer.status_code == 401
    assert "serviceall" not in answer.text
    assert [form.action for form in Page(answer.text).forms] == [f"{ROOT}/sign-in"]


def test_wrong_token_is_refused(guarded: Reader) -> None:
    """And asked for again, with the page still in mind."""
    answer = guarded.client.post(f"{ROOT}/sign-in", data={"token": "wrong", "next": f"{ROOT}/tokens"})
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False)
    assert Page(answer.text).forms[0].fields["next"] == f"{ROOT}/tokens"


def test_right_token_opens_the_dashboard(guarded: Reader) -> None:
    """Once: the cookie says so from then on, and is none that a script reads or another site sends."""
    form = Page(guarded.get("tokens?cursor=5").text).forms[0]
    answer = guarded.client.post(form.action, data={**form.fields, "token": TOKEN})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ROOT}/tokens?cursor=5")
    cookie = answer.headers["Set-Cookie"]
    assert re.fullmatch(rf"paylera_mock_\w{{8}}=\w{{64}}; Path={ROOT}; HttpOnly; SameSite=Strict", cookie)
    assert TOKEN not in cookie
    assert guarded.get("tokens").status_code == 200


def test_page_of_the_control_token_leads_on_who_has_shown_it(guarded: Reader) -> None:
    """After a wrong one its address is the browser's, and may be loaded again."""
    guarded.client.post(f"{ROOT}/sign-in", data={"token": TOKEN})
    answer = guarded.get("sign-in")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ROOT}/requests")


def test_cookie_is_secure_over_tls(guarded: Reader) -> None:
    """It is never sent in the clear then."""
    answer = guarded.client.post(f"{ROOT}/sign-in", data={"token": TOKEN}, base_url="https://localhost")
    assert answer.headers["Set-Cookie"].endswith("; Secure")


def test_cookie_is_no_credential_of_the_control_api(guarded: Reader) -> None:
    """A page of another origin could have it sent."""
    guarded.client.post(f"{ROOT}/sign-in", data={"token": TOKEN})
    assert guarded.client.get("/_mock").status_code == 401


def test_cookie_of_another_fake_opens_nothing(guarded: Reader) -> None:
    """Not even with the same token: what it stands for, only its own process knows."""
    cookie = guarded.client.post(f"{ROOT}/sign-in", data={"token": TOKEN}).headers["Set-Cookie"].partition(";")[0]
    other = Reader(Client(create_app(access=Access(control=ControlSettings(token=TOKEN))), use_cookies=False))
    assert other.get("tokens", headers={**NAVIGATION, "Cookie": cookie}).status_code == 401


@pytest.mark.parametrize(
    "target", ["https://attacker.example/", "//attacker.example", f"{ROOT}/x\r\nSet-Cookie: a=b", ""]
)
def test_signing_in_leads_nowhere_else(guarded: Reader, target: str) -> None:
    """Whatever a form says."""
    answer = guarded.client.post(f"{ROOT}/sign-in", data={"token": TOKEN, "next": target})
    assert answer.headers["Location"] == ROOT


def test_caller_with_the_token_needs_no_cookie(guarded: Reader) -> None:
    """As on the control API."""
    assert guarded.get("tokens", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("settings", [ControlSettings(enabled=False), ControlSettings(dashboard=False)])
def test_dashboard_can_be_left_out(settings: ControlSettings) -> None:
    """Then nothing of it is there, and no browser is led to it."""
    reader = Reader(Client(create_app(access=Access(control=settings))))
    assert reader.get("requests").status_code == 404
    assert reader.client.get("/", headers=NAVIGATION).status_code == 401


def test_control_api_stays_without_the_dashboard() -> None:
    """Tests need no pages."""
    assert Client(create_app(access=Access(control=ControlSettings(dashboard=False)))).get("/_mock").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (NAVIGATION, 303),
        ({"Accept": "text/html,application/xhtml+xml"}, 303),
        ({"Accept": "*/*"}, 401),
        ({}, 401),
        ({"Accept": "application/json, text/html;q=0.1"}, 401),
        ({"Accept": "text/html", "Sec-Fetch-Mode": "cors"}, 401),
    ],
)
def test_browsers_alone_are_led_to_the_dashboard(default: Fake, headers: dict[str, str], status: int) -> None:
    """Every other client gets at `/` what the contract says of a path that is none."""
    answer = default.client.get("/", headers=headers)
    assert (answer.status_code, answer.headers.get("Location")) == (status, ROOT if status == 303 else None)


def test_only_a_get_of_the_root_is_led(default: Fake) -> None:
    """A form that is sent to the API is a request to the API."""
    assert default.client.post("/", headers=NAVIGATION).status_code == 401


def test_namespace_has_its_dashboard_below_its_control_url(fake: Fake) -> None:
    """Whoever has that URL finds the page."""
    namespace_id = fake.base.removeprefix("/ns/")
    answer = fake.client.get(f"{fake.control_base}/ui/tokens")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ROOT}/ns/{namespace_id}/tokens")
    assert fake.client.get(answer.headers["Location"], headers=NAVIGATION).status_code == 200
