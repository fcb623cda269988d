"""Models over HTTP: what made an analysis can be looked up with its card."""

from __future__ import annotations

from fastapi.testclient import TestClient

TEXT = "Қаладағы жаңа кітапхана 2021 жылғы 5 мамырда ашылды, онда 40 мың кітап бар."


def test_every_model_of_an_analysis_is_listed_with_the_same_version(client: TestClient) -> None:
    analysis = client.post("/v1/articles", json={"text": TEXT}).json()
    listed = {item["name"]: item["version"] for item in client.get("/v1/models").json()["items"]}

    for name in ("ai_text", "checkworthy", "stance"):
        assert listed[name] == analysis["models"][name]


def test_a_model_shows_its_card(client: TestClient) -> None:
    for item in client.get("/v1/models").json()["items"]:
        model = client.get(f"/v1/models/{item['name']}").json()
        assert model["version"] == item["version"]
        assert model["card"].startswith("# ")
        assert len(model["card"]) > 500


def test_an_unknown_model_is_not_found(client: TestClient) -> None:
    answer = client.get("/v1/models/crystal-ball")

    assert answer.status_code == 404
    assert "ai_text" in answer.json()["detail"]
