"""`report.html` is one file that loads nothing, and in which nothing of a target's is markup."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from helpers.compared_cases import rotated_case
from paylera_conformance.model.case_results import CaseResult, CellNote
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.frame import embed_json, mark_code
from paylera_conformance.reports.model import SIGNS, RunReport
from paylera_conformance.reports.page import page
from paylera_conformance.reports.repeat import Scripts
from paylera_fixtures.clauses import clauses_of
from paylera_fixtures.vocabulary import Profile


class Reader(HTMLParser):
    """Takes a page apart as a browser would: elements with their attributes, and what stands in scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside: list[tuple[str, str]] = []
        self._last = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._last = tag

    def handle_data(self, data: str) -> None:
        """Note what stands in a script or a style."""
        self.inside += [(self._last, data)] * (self._last in {"script", "style"})

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - as the base class has it
        """Leave an element."""
        self._last = ""

    def having(self, attribute: str) -> list[str]:
        """Every value of an attribute."""
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


@pytest.fixture(scope="module")
def read(mixed: RunReport) -> Reader:
    """The page of the run in which every outcome occurs, on a hostile target."""
    reader = Reader()
    reader.feed(page(mixed, Scripts()))
    return reader


def test_page_loads_nothing(read: Reader) -> None:
    """No element refers to anything outside."""
    refers = [value for name in ("src", "href", "srcset", "action", "data") for value in read.having(name)]
    assert [value for value in refers if not value.startswith("#")] == []


def test_style_loads_nothing(read: Reader) -> None:
    """Nor does the style sheet."""
    (style,) = (text for tag, text in read.inside if tag == "style")
    assert re.findall(r"url\(|@import", style) == []


def test_only_our_own_elements_are_there(read: Reader) -> None:
    """What the target wrote is text: no image, and no script but ours and the data."""
    assert "img" not in {tag for tag, _ in read.elements}
    kinds = [attributes.get("type", "code") for tag, attributes in read.elements if tag == "script"]
    assert (kinds.count("code"), set(kinds)) == (1, {"code", "text/plain"})


def test_no_attribute_runs_anything(read: Reader) -> None:
    """No handler stands in an attribute, nor a style, which the policy would refuse."""
    names = {name for _, attributes in read.elements for name in attributes}
    assert [name for name in names if name.startswith("on") or name == "style"] == []


def test_policy_lets_in_our_own_code_alone(read: Reader) -> None:
    """By its hash; were a script smuggled in, it would not run."""
    (policy,) = (attributes["content"] for _, attributes in read.elements if attributes.get("http-equiv"))
    own = {tag: text for tag, text in reversed(read.inside) if " " in text}
    hashes = {tag: b64encode(sha256(text.encode()).digest()).decode() for tag, text in own.items()}
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )


def unpack(made: str) -> dict[str, Any]:
    """The evidence of a page."""
    found = re.search(r'id="evidence">([A-Za-z0-9+/=]+)<', made)
    assert found is not None
    evidence: dict[str, Any] = json.loads(zlib.decompress(b64decode(found[1])))
    return evidence


def test_evidence_is_there_whole(mixed: RunReport) -> None:
    """Every exchange of every case, in the order of the case."""
    evidence = unpack(page(mixed, Scripts()))
    cases = [case for cases in evidence["clauses"].values() for case in cases]
    status = evidence["exchanges"]["status"]
    assert [[status[number] for number in case["exchanges"]] for case in cases] == [[200, 401, 500]] * len(mixed.cases)


def test_shared_exchange_stands_once(mixed: RunReport) -> None:
    """However many cases have it as evidence, and whichever it decided."""
    assert len(unpack(page(mixed, Scripts()))["exchanges"]["status"]) == 3


def test_shared_credential_stands_once(make_report: Callable[..., RunReport]) -> None:
    """Without its id, which the page does not show."""
    evidence = unpack(page(make_report([rotated_case(case=f"test_it[{number}]") for number in range(3)]), Scripts()))
    assert [note["label"] for note in evidence["credentials"]] == ["‹new #3333›", "‹old #2222›"]
    assert not any("id" in note for note in evidence["credentials"])


def test_what_is_wrong_stands_first(read: Reader, special: Mapping[str, Outcome]) -> None:
    """A reader of a failed run looks for nothing else."""
    shown = [attributes["id"] for tag, attributes in read.elements if attributes.get("class") == "clause"]
    wrong = {name for name, outcome in special.items() if outcome in {Outcome.FAIL, Outcome.ERROR, Outcome.WARN}}
    assert shown[0] == "scope.required"
    assert set(shown[: len(wrong)]) == wrong


def test_each_clause_stands_once(read: Reader) -> None:
    """A clause that is wrong is not told again in its group."""
    shown = [attributes["id"] for _, attributes in read.elements if attributes.get("class") == "clause"]
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("value", ["</script>", "<!--<script>", "&lt;", "\u2028", "]]>"])
def test_embedded_json_cannot_end_its_element(value: str) -> None:
    """And is the value still."""
    text = str(embed_json([value]))
    assert set(text) & set("<>&\u2028") == set()
    assert json.loads(text) == [value]


def test_contracts_text_is_escaped() -> None:
    """Backticks make code, and nothing else makes anything."""
    assert str(mark_code("a <b> `c & d`")) == "a &lt;b&gt; <code>c &amp; d</code>"


def test_every_clause_is_there(read: Reader) -> None:
    """In a row that says what the filters ask for."""
    assert {clause.id for clause in clauses_of(Profile.GUIDE)} <= set(read.having("id"))
    assert set(read.having("data-level")) == {"must", "should"}


def test_script_knows_every_sign(read: Reader) -> None:
    """The page and its script say the same of an outcome."""
    (code,) = (text for tag, text in read.inside if tag == "script" and " " in text)
    table = re.search(r"SIGNS = \{(.*?)\}", code)
    assert table is not None
    signs = dict(re.findall(r'"?([\w-]+)"?: "(.)"', table[1]))
    assert signs == {outcome.value: sign for outcome, sign in SIGNS.items()}


def test_page_of_an_unreachable_target_says_why(make_report: Callable[..., RunReport]) -> None:
    """There is no clause that could."""
    assert "nobody answers" in page(make_report([], trouble="nobody answers", trouble_exit=13), Scripts())


def test_page_stays_small_however_much_was_sent(
    make_report: Callable[..., RunReport], make_case: Callable[..., Any]
) -> None:
    """Evidence is data until it is asked for: as many elements for 3000 exchanges as for three."""
    case = make_case("scope.required", Outcome.FAIL)
    few, many = Reader(), Reader()
    few.feed(page(make_report([case]), Scripts()))
    many.feed(
        page(make_report([make_case("scope.required", Outcome.FAIL, exchanges=case.exchanges * 1000)]), Scripts())
    )
    assert len(few.elements) == len(many.elements)


def test_line_of_a_clause_has_what_was_wanted_and_got(
    make_report: Callable[..., RunReport], make_case: Callable[..., CaseResult]
) -> None:
    """Before it is cut at its end: the operations are named where the clause is opened."""
    cases = [
        make_case("credential.missing", Outcome.FAIL, f"test_it[{path}]", cell=CellNote("no-token", path))
        for path in ("GET /v1/plans/{code}", "POST /v1/customers")
    ]
    line = re.search(r'<span class="told worth">([^<]*)', page(make_report(cases), Scripts()))
    assert line is not None
    assert line[1].startswith("on 2 of 2 operations: fail of credential.missing")
