"""The view of webhooks: deliveries with their attempts and signatures, and sending one again."""

from __future__ import annotations

import pytest

from helpers.dashboard import ROOT, Page, Reader
from helpers.fake import Fake
from helpers.webhooks import Hooks, Receiver


@pytest.fixture
def sent(default_hooks: Hooks, receiver: Receiver) -> Reader:
    """Looks at a fake that has told a receiver of a new customer; the first attempt failed, and stands still."""
    receiver.answers = [500]
    default_hooks.register(receiver.url, "customer.*")
    default_hooks.customer(default_hooks.fake.secret(), "grace@example.com")
    default_hooks.flush()
    return Reader(default_hooks.fake.client)


@pytest.fixture
def default_hooks(default: Fake) -> Hooks:
    """The default namespace, whose clock stands still."""
    default.control("POST", "clock", running=False)
    return Hooks(default)


def rows(reader: Reader, page: str = "webhooks") -> list[str]:
    """The texts of the deliveries that are listed."""
    return [Page(row).text for row in reader.get(page).text.partition("<tbody>")[2].split("<tr>")[1:]]


def deliveries(reader: Reader) -> list[str]:
    """The ids of the deliveries, the oldest first."""
    return [each["id"] for each in (reader.client.get("/_mock/webhooks/deliveries").json or {})["data"]]


def test_deliveries_are_listed_with_what_became_of_them(sent: Reader, receiver: Receiver) -> None:
    """And with the object, the endpoint and the next attempt."""
    [row] = rows(sent)
    for words in ("customer.created", "pending", "1, last 500 next", "cus_", receiver.url):
        assert words in row


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("type=customer.*", 1),
        ("type=invoice.*", 0),
        ("state=pending", 1),
        ("state=delivered", 0),
        ("endpoint=we_no", 0),
    ],
)
def test_deliveries_are_narrowed_down(sent: Reader, query: str, count: int) -> None:
    """By the filters of the control API."""
    assert len(rows(sent, f"webhooks?{query}")) == count


def test_state_that_is_none_is_told(sent: Reader) -> None:
    """An old link may name one."""
    assert sent.get("webhooks?state=lost").status_code == 422


def test_delivery_is_shown_with_its_attempts_and_signatures(sent: Reader, receiver: Receiver) -> None:
    """As its receiver got them; and with the event."""
    sent.client.post("/_mock/clock/advance", json={"seconds": 3600})
    sent.client.post("/_mock/webhooks/flush", json={})
    page = sent.read(f"webhooks/{deliveries(sent)[0]}")
    signatures = [headers["Paylera-Signature"] for _, headers, _ in receiver.received]
    assert len(set(signatures)) == 2
    for words in (*signatures, "delivered", "500", "200", '"email": "grace@example.com"', receiver.url):
        assert words in page.text


def test_pending_delivery_tells_when_it_is_due(sent: Reader) -> None:
    """And leads to the clock, by which it is reached."""
    page = sent.read(f"webhooks/{deliveries(sent)[0]}")
    assert ("Next attempt" in page.text, f"{ROOT}/clock" in page.links) == (True, True)
    assert "A webhook is due" in sent.read("clock").text


def test_event_is_delivered_again(sent: Reader, receiver: Receiver) -> None:
    """In a delivery of its own, which is shown once it was attempted."""
    [first] = deliveries(sent)
    sent.client.post("/_mock/clock/advance", json={"seconds": 3600})
    answer = sent.send("webhooks", f"{first}/again")
    again = deliveries(sent)[-1]
    assert answer.headers["Location"] == f"{ROOT}/webhooks/{again}"
    assert "delivered" in sent.read(f"webhooks/{again}").text
    assert len({body for *_, body in receiver.received}) == 1


def test_delivery_that_waits_for_another_leads_to_it(sent: Reader, default_hooks: Hooks) -> None:
    """Events of one object arrive in their order."""
    [first] = default_hooks.deliveries()
    default_hooks.rename(default_hooks.fake.secret(), first["aggregate_id"])
    assert f"{ROOT}/webhooks/{first['id']}" in sent.read(f"webhooks/{deliveries(sent)[1]}").links


def test_delivery_that_there_is_not_is_told(sent: Reader) -> None:
    """So many only are remembered."""
    assert sent.get("webhooks/del_none").status_code == 404


def test_many_deliveries_are_listed_in_parts(default_hooks: Hooks) -> None:
    """The newest first."""
    default_hooks.register("https://example.com/", "customer.created")
    secret = default_hooks.fake.secret()
    for number in range(51):
        default_hooks.customer(secret, f"a{number}@example.com")
    reader = Reader(default_hooks.fake.client)
    assert (len(rows(reader)), len(rows(reader, "webhooks?offset=50"))) == (50, 1)
    assert "not sent" in rows(reader)[0]


def test_hostile_url_is_shown_as_text(default_hooks: Hooks) -> None:
    """Also one with a secret in it, which is hidden."""
    secret = default_hooks.fake.secret()
    default_hooks.register(f"https://example.com/'%22%3E<img/src=x>?key={secret}", "customer.created")
    default_hooks.customer(secret)
    reader = Reader(default_hooks.fake.client)
    for page in ("webhooks", f"webhooks/{deliveries(reader)[0]}", "objects?kind=webhook_endpoint"):
        text = reader.get(page).text
        assert ("<img" in text, secret in text, "[redacted]" in text) == (False, False, True)
