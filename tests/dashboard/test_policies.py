"""Settings that are changed by their pages: by administrators alone, and by whoever read them last."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bench.screenshots import certificate
from service.dashboard.measured import by_kind, by_rate
from service.policy import RATES
from service.settings import SettingsError, load_settings

HERE = "/dashboard/settings"


def version(page: str) -> str:
    found = re.search('name="version" value="([0-9]+)"', page)
    assert found
    return found.group(1)


def test_the_card_tells_what_every_rate_costs() -> None:
    found = by_rate()
    assert set(found) >= set(RATES)
    for rows in found.values():
        assert len({row.language for row in rows}) == len(rows) >= 9
        assert all(0 <= row.low <= row.flagged <= row.high <= 1 for row in rows)
        assert all(0 <= row.false_alarms <= row.human_texts for row in rows)
    # A smaller share flags fewer texts, of both kinds.
    for more, fewer in ((0.05, 0.01), (0.01, 0.001)):
        assert sum(row.false_alarms for row in found[more]) > sum(row.false_alarms for row in found[fewer])
    assert {row.label for row in by_kind()} == {"generated", "rewritten", "translated"}


def test_the_rate_is_chosen_with_what_it_costs_beside_it(closed: Any) -> None:
    chief, _ = closed.log_in("admin")
    page = chief.get(f"{HERE}/thresholds?lang=en").text
    for rate in RATES:
        assert f'name="rate" value="{rate:g}"' in page
    assert page.count("Human texts flagged wrongly:") == len(RATES)
    read = version(page)
    chosen = {"rate": "0.05", "version": read}
    assert chief.post(f"{HERE}/thresholds", data=chosen).status_code == 303
    assert chief.get("/v1/settings").json()["target_fpr"] == 0.05
    after = chief.get(f"{HERE}/thresholds").text
    assert re.search('value="0.05" checked', after)
    late = chief.post(f"{HERE}/thresholds", data={"rate": "0.001", "version": read}, follow_redirects=True)
    assert "Somebody else changed the settings meanwhile" in late.text
    assert chief.post(f"{HERE}/thresholds", data={"rate": "0.5"}).status_code == 422
    assert chief.post(f"{HERE}/thresholds", data={"rate": ""}).status_code == 303
    assert chief.get("/v1/settings").json()["changed"] == []


def test_countries_are_ticked(closed: Any) -> None:
    chief, _ = closed.log_in("admin")
    chief.post(f"{HERE}/countries", data={"country": ["KZ", "UZ"]})
    page = chief.get(f"{HERE}/countries?lang=en").text
    assert re.findall('value="([A-Z]{2})" checked', page) == ["KZ", "UZ"]
    assert page.count("applies</span>") == 2
    chief.post(f"{HERE}/countries", data={})
    assert chief.get("/v1/settings").json()["countries"] == []
    assert chief.get("/v1/settings").json()["changed"] == ["countries"]
    chief.post(f"{HERE}/countries", data={"reset": "yes", "country": ["KZ"]})
    assert chief.get("/v1/settings").json()["changed"] == []


def test_a_certificate_is_trusted_and_no_more(closed: Any) -> None:
    chief, _ = closed.log_in("admin")
    pem = certificate("<b>Archive</b>")
    assert chief.post(f"{HERE}/trust", data={"pem": pem}).headers["location"] == f"{HERE}/trust"
    page = chief.get(f"{HERE}/trust?lang=en").text
    # Backslashes before the brackets are RFC 4514's.
    assert "CN=\\&lt;b\\&gt;Archive" in page
    assert "<b>" not in page
    asked = re.search(r"/dashboard/settings/trust/remove\?fingerprint=([0-9a-f]{64})", page)
    assert asked
    assert "Archive" in chief.get(asked.group(0)).text
    gone = {"fingerprint": asked.group(1)}
    assert chief.post(f"{HERE}/trust/remove", data=gone).status_code == 303
    assert chief.post(f"{HERE}/trust/remove", data=gone).status_code == 404
    assert chief.get(asked.group(0)).status_code == 404


def test_what_was_pasted_by_mistake_is_not_shown_again(closed: Any) -> None:
    chief, _ = closed.log_in("admin")
    secret = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----"
    refused = chief.post(f"{HERE}/trust?lang=en", data={"pem": certificate("A") + secret})
    assert refused.status_code == 422
    assert "MC4CAQAwBQYDK2Vw" not in refused.text
    assert "It holds a private key" in refused.text


def test_others_see_the_settings_and_no_form(closed: Any) -> None:
    editor, _ = closed.log_in("editor")
    for part in ("thresholds", "trust", "countries"):
        page = editor.get(f"{HERE}/{part}").text
        assert f'action="{HERE}/{part}"' not in page
        assert editor.post(f"{HERE}/{part}", data={}).status_code == 403


def test_a_refusal_speaks_of_roles_to_people(closed: Any) -> None:
    reader, _ = closed.log_in("reader")
    refused = reader.get("/dashboard/settings/accounts?lang=kk")
    assert refused.status_code == 403
    assert "Сіздің рөліңізде бұл жоқ." in refused.text
    assert "scope" not in refused.text.partition("<main")[2]
    assert "key" not in refused.text.partition("<main")[2]


@pytest.mark.parametrize("name", ["Mars/Olympus", "asia", "../etc/passwd", "", "tzdata.zi"])
def test_a_time_zone_that_does_not_exist_is_refused(closed: Any, name: str) -> None:
    with pytest.raises(SettingsError, match="no such time zone"):
        load_settings(time_zone=name)
    reader, _ = closed.log_in("reader")
    if name:
        assert reader.post("/dashboard/account/time-zone", data={"zone": name}).status_code == 422
    reader.cookies.set("tamga_zone", name)
    assert reader.get("/dashboard/account").status_code == 200


def test_countries_of_the_environment_must_have_rules() -> None:
    assert load_settings(countries=" kz,UZ, kz").own_countries == ("KZ", "UZ")
    with pytest.raises(SettingsError, match="no rules for XX"):
        load_settings(countries="KZ,XX")
