"""HTML pages to articles, whatever their state."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.text import NoTextFoundError, TextError, extract_html

PAGE = """<!doctype html><html lang="kk-KZ"><head><title>Жаңа кітапхана ашылды</title>
<meta property="og:site_name" content="Қала хабары">
<meta property="article:published_time" content="2024-03-05T10:00:00+05:00">
</head><body><nav><a href="/">Басты бет</a> <a href="/b">Байланыс</a></nav>
<article><h1>Жаңа кітапхана ашылды</h1>
<p>Қала орталығында сейсенбі күні жаңа кітапхана есігін ашты. Онда балаларға арналған бөлек зал бар.</p>
<p>Кітапхана қоры қырық мың кітаптан тұрады, оның үштен бірі қазақ тілінде.</p></article>
<footer>Барлық құқық қорғалған</footer></body></html>"""


def test_article_and_what_the_page_says_about_itself() -> None:
    article = extract_html(PAGE)
    assert "қырық мың кітаптан" in article.text
    assert "Басты бет" not in article.text
    assert article.title == "Жаңа кітапхана ашылды"
    assert article.outlet == "Қала хабары"
    assert article.published_at == date(2024, 3, 5)
    assert article.language == "kk"


def test_unclosed_tags_still_give_the_text() -> None:
    broken = PAGE.replace("</p>", "").replace("</article>", "").replace("</body></html>", "")
    assert "үштен бірі қазақ тілінде" in extract_html(broken).text


def test_a_fragment_too_short_for_an_article_gives_its_words() -> None:
    article = extract_html("<p>Қысқа хабар.")
    assert article.text == "Қысқа хабар."
    assert (article.title, article.published_at, article.language) == (None, None, None)


@pytest.mark.parametrize(
    "page", ["", " ", "<", "<html>", "<!--", "<p></p>", "<script>var a = 1;</script>", "\x00", "\ud800"]
)
def test_page_without_text_is_a_clear_error(page: str) -> None:
    with pytest.raises(NoTextFoundError, match="no readable article text") as caught:
        extract_html(page)
    assert isinstance(caught.value, TextError)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "<p>",
                    "</div>",
                    "<div class='a",
                    "<html lang=",
                    "<!--",
                    "]]>",
                    "<table><tr>",
                    "&#0;",
                    "\ud800",
                ]
            ),
            st.text(max_size=8),
        )
    ).map("".join)
)
def test_malformed_pages_never_raise_anything_else(page: str) -> None:
    with contextlib.suppress(NoTextFoundError):
        assert extract_html(page).text.strip()


def test_deep_nesting_is_survived() -> None:
    assert "Терең мәтін" in extract_html("<div>" * 200 + "<p>Терең мәтін осында жатыр.</p>").text
