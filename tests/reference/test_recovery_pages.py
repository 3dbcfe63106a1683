"""Pages of the recovery model: there where it was asked, silent where not, true to its answers."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reference.hostile import SCRIPT
from tests.reference.html_check import parse
from tests.reference.recovery_examples import toes, with_recovery
from tests.reference.test_browser import CHECKS
from tests.reference.test_site import broken_links, pages_of
from trabecula.reference import build_site, figures_of, links
from trabecula.reference import recovered as words
from trabecula.reference.catalog import Catalog
from trabecula.reference.figures import Figure
from trabecula.reference.figures.recovery_plans import by_certainty, drawn_week, recovery_plans
from trabecula.reference.highlights import highlights
from trabecula.review import Review
from trabecula.review.recovery_model import Credible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser

SEEN = (*links.RECOVERY_PAGES, links.regimen("bathing"), links.regimen("sand"))


@pytest.fixture(scope="module")
def answered(small: Review) -> Review:
    """Return the small review with answers of a recovery model."""
    return with_recovery(small)


@pytest.fixture(scope="module")
def drawn(answered: Review) -> Mapping[str, Figure]:
    """Return the figures of that review."""
    return figures_of(answered)


@pytest.fixture(scope="module")
def built(
    answered: Review, drawn: Mapping[str, Figure], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the reference of that review, in a folder."""
    out = tmp_path_factory.mktemp("recovery") / "site"
    build_site(answered, drawn, out)
    return out


def text_of(site: Path, path: str) -> str:
    """Return the text of a page, spaces told once."""
    return " ".join(parse(site / path).text.split())


def test_pages_stand_where_the_model_was_asked(built: Path, site: Path) -> None:
    """Three pages, a table and entries of the navigation come with the model, none without."""
    for path in (*links.RECOVERY_PAGES, links.RECOVERY_CSV):
        assert (built / path).is_file(), path
        assert not (site / path).exists(), path
    assert links.RECOVERY in parse(built / links.HOME).links
    assert not {*links.RECOVERY_PAGES} & {*parse(site / links.HOME).links}
    assert "what it adds to waiting" not in text_of(site, links.regimen("bathing"))


def test_every_link_and_heading_holds(built: Path) -> None:
    """No link leads nowhere; ids are unique and elements closed."""
    assert broken_links(built) == []
    for path in SEEN:
        page = pages_of(built)[path]
        assert len(page.ids) == len(set(page.ids)), path
        assert page.unclosed == [], path


def test_waiting_is_told_in_words(built: Path) -> None:
    """Half-way, new study, never, and the last week seen stand in sentences."""
    text = text_of(built, links.RECOVERY)

    assert "Weeks count from the start of treatment or observation, which comes about 8" in text
    assert "recovered completely (free of pain) after 10.0 weeks (95 % CrI 7.1 to 14.0)" in text
    assert "of a new study that would be after 4 to 25 weeks" in text
    assert "5 % (95 % CrI 1 to 13) never recover completely." in text
    assert "observed to week 26. What is later is extrapolated." in text
    assert "2 studies: Doe 2020, Roe 2021." in text


def test_what_cannot_be_told_is_said(answered: Review, built: Path) -> None:
    """An interval around 1 is no answer; overlapping intervals set nobody first."""
    text = text_of(built, links.FASTER)

    assert "Than waiting probably faster: bathing." in text
    assert "Of the other 1 of 2 treatments we cannot tell." in text
    assert "The intervals of all treatments overlap" in text
    assert "Of none of 1 treatment can we tell" in text
    assert "significant" not in text
    catalog, (sure, unsure, _) = Catalog(answered, {}), toes().regimens
    slow = replace(unsure, rate_ratio=Credible(0.5, 0.3, 0.9), p_faster=0.01)
    assert "bathing above sand" in words.apart(catalog, [sure, slow])
    assert "probably slower: sand" in words.summary(catalog, [sure, slow])


def test_answers_stand_in_the_order_of_certainty(built: Path, answered: Review) -> None:
    """The narrowest interval comes first, in the figure as in the table."""
    catalog = Catalog(answered, {})
    plan = next(p for p in recovery_plans(catalog) if p.id == "recovery-rates-toe")
    page = (built / links.FASTER).read_text(encoding="utf-8")

    assert [row[:2] for row in plan.rows] == [
        ("Studied", "Bathing"),
        ("Not studied: borrowed from other treatments and outcomes", "Sand"),
    ]
    assert page.index('bathing.html#recovery">Bathing') < page.index('sand.html#recovery">Sand')
    assert [a.regimen for a in by_certainty(reversed(toes().regimens[:2]))] == ["bathing", "sand"]


def test_a_regimen_says_what_it_adds(built: Path) -> None:
    """Phrase, ratio, times with and without, trial and extrapolation stand on its page."""
    text = text_of(built, links.regimen("bathing"))

    assert "Probably faster plain" in text
    assert "1.60 (1.10 to 2.30): probably faster than waiting" in text
    assert "> 99 %" not in text
    assert "99 % that it is faster at all" in text
    assert "half have recovered (free of pain)6.2 (4.2 to 9.4)10.0 (7.1 to 14.0)" in text
    assert "153 patients an arm give 80 % power" in text
    assert "observed to week 20; what is later is extrapolated" in text
    assert "Week 4" in text


def test_a_regimen_without_studies_borrows(built: Path) -> None:
    """Where no study stands behind an answer the page says so, and what no trial settles."""
    text = text_of(built, links.regimen("sand"))

    assert "0 (0 comparative), 0 patients: all is borrowed from other treatments" in text
    assert "we cannot tell whether it is faster or slower than waiting" in text
    assert "more than 2 000 patients an arm" in text
    assert "the course is extrapolated" in text
    assert "No evidence on it enters" in text_of(built, links.regimen("water"))


def test_rows_lead_to_what_was_printed(built: Path) -> None:
    """Each row that enters, or is left out, leads to its study's row."""
    page = (built / links.RECOVERY_MODEL).read_text(encoding="utf-8")

    assert 'href="studies/roe-2021.html#results-1"' in page
    assert 'href="studies/doe-2020.html#results-0"' in page
    assert "Patients shared with another study: 1 row" in text_of(built, links.RECOVERY_MODEL)
    assert "The chains agree" in text_of(built, links.RECOVERY_MODEL)


def test_a_poor_computation_is_told(answered: Review, tmp_path: Path) -> None:
    """Divergences or chains that disagree are said before any number."""
    recovery = toes()
    poor = replace(recovery, diagnostics=replace(recovery.diagnostics, divergences=3))
    build_site(replace(answered, recovery=poor), {}, tmp_path / "site")

    assert "Not all checks of the computation are passed" in text_of(
        tmp_path / "site", links.RECOVERY_MODEL
    )


def test_marks_from_onset_stand_before_the_start(answered: Review) -> None:
    """A week from onset is drawn as many weeks earlier as treatment comes after onset."""
    recovery = toes()
    plan = next(p for p in recovery_plans(Catalog(answered, {})) if p.id == "recovery-natural-toe")

    assert [drawn_week(recovery, r) for r in recovery.rows] == [4.0, 4.0, 4.0, None, 4.0]
    observed = [row for row in plan.rows if row[-1].startswith("observed")]
    assert [(row[0], row[-1]) for row in observed] == [
        ("Doe 2020, bathing", "observed, treated"),
        ("Roe 2021, waiting", "observed, untreated"),
    ]


def test_courses_after_the_last_week_seen_are_extrapolated(answered: Review) -> None:
    """With and without treatment each curve is dashed from where nobody was seen."""
    plans = {p.id: p for p in recovery_plans(Catalog(answered, {}))}
    kinds = {
        (row[0], int(row[1])): row[-1]
        for row in plans["recovery-course-bathing--toe"].rows
        if row[-1] in ("estimated", "extrapolated")
    }

    assert kinds["Bathing", 20] == "estimated"
    assert kinds["Bathing", 26] == "extrapolated"
    assert kinds["Waiting", 26] == "estimated"
    assert "For a start at 7 points." in plans["recovery-course-bathing--toe"].note


def test_verdicts_follow_the_probability_of_the_side() -> None:
    """From 97.5 % on a side is probable, from 90 % on it may be; below nobody can tell."""
    found = toes().regimens[0]
    said = {p: words.verdict(replace(found, p_faster=p)) for p in (0.98, 0.92, 0.5, 0.08, 0.02)}

    assert list(said.values()) == [
        "probably faster", "may be faster", "we cannot tell", "may be slower", "probably slower",
    ]  # fmt: skip


def test_what_the_model_names_is_told_in_words(answered: Review) -> None:
    """Moderators, priors and studies left out are called as on other pages."""
    catalog = Catalog(answered, {})
    (site, name), *_ = catalog.sites.items()

    assert words.group(catalog, f"site:{site}") == name
    assert words.group(catalog, f"stratum:{catalog.primary}") == catalog.file.strata[0].name
    assert words.group(catalog, "pregnant") == "Pregnancy"
    assert words.variant(catalog, "without doe-2020") == "Without Doe 2020"
    told = words.variant(catalog, "spread log sd 0.6 instead of 0.3")
    assert (
        told == "Uncertainty of how far patients differ (SD of the logarithm): 0.6 instead of 0.3"
    )


def test_a_time_that_may_never_come_is_called_never() -> None:
    """Infinite limits are words, and do not spoil the digits of the others."""
    assert words.weeks(Credible(12.0, 8.0, float("inf"))).endswith("to never)")
    assert words.weeks(Credible(float("inf"), float("inf"), float("inf"))) == "never"


def test_home_and_highlights_tell_it_in_a_sentence(built: Path, answered: Review) -> None:
    """The first page says what waiting brings and what can be told beyond it."""
    told = "Of those who wait half are free of pain after 10.0 weeks"

    assert told in text_of(built, links.HOME)
    assert "probably faster than that on some outcome: bathing." in text_of(built, links.HOME)
    assert any(line.startswith(told) for line in highlights(answered))


def test_exports_have_every_digit(built: Path) -> None:
    """The table and the JSON carry the answers as they are."""
    (first, *rest) = csv.DictReader(
        (built / links.RECOVERY_CSV).read_text(encoding="utf-8").splitlines()
    )
    whole = json.loads((built / links.REVIEW_JSON).read_text(encoding="utf-8"))

    assert (first["regimen"], first["rate_ratio"], first["rate_ratio_low"]) == (
        "bathing", "1.6", "1.1",
    )  # fmt: skip
    assert (first["trial_patients_per_arm"], first["from_comparative"]) == ("153", "0.1")
    assert len(rest) == 2
    assert rest[1]["weeks_to_half"] == ""
    assert whole["recovery"]["natural"][0]["median_weeks"]["median"] == 10.0
    assert json.loads((built / "faster-than-waiting.json").read_text(encoding="utf-8"))


def test_the_model_s_text_is_never_markup(small: Review, tmp_path: Path) -> None:
    """A script in words, labels and rows of the model stays text."""
    review = with_recovery(small, toes(SCRIPT))
    build_site(review, figures_of(review), tmp_path / "site")

    for path in SEEN:
        page = parse(tmp_path / "site" / path)
        assert all(s.get("src") for s in page.scripts), path
        assert not [a for a in page.attributes if a.startswith("on")], path
    assert SCRIPT in parse(tmp_path / "site" / links.RECOVERY_MODEL).text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_violation(built: Path, browser: Browser, scheme: str) -> None:
    """Axe finds nothing on pages of the model, folded parts opened."""
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    options = {"runOnly": CHECKS[scheme], "resultTypes": ["violations"]}
    violations = []
    for path in SEEN:
        page.goto((built / path).as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        for found in Axe().run(page, options=options).response["violations"]:
            nodes = [node["html"][:160] for node in found["nodes"][:3]]
            violations.append((path, found["id"], nodes))
    context.close()

    assert violations == []


def test_nothing_runs_off_a_phone(built: Path, browser: Browser) -> None:
    """At 320 pixels no page of the model is wider than the screen."""
    page = browser.new_page(viewport={"width": 320, "height": 640})
    for path in SEEN:
        page.goto((built / path).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    page.close()
