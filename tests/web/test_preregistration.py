"""Preregistering on a study's page: once, by its owner, before it opens; and the two files."""

import json
import re
from html import unescape

import httpx
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import accounts, studies
from app.study.canonical import content_hash
from app.study.designs import DesignFaulty, check_design
from app.terms import Role
from tests.signing_in import token_in
from tests.studies import draft_study, open_study
from tests.web.desk import sign_in


async def test_a_draft_is_preregistered_on_its_page_and_its_files_agree(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    await draft_study(database, "mine")
    ada = await sign_in(client, database, "ada@example.org")
    page = await client.get("/studies/mine")
    assert "Preregister this study" in page.text
    sent = await client.post("/studies/mine/preregister", data={"form_token": token_in(page)})
    assert (sent.status_code, sent.headers["location"]) == (303, "/studies/mine#preregistration")

    page = await client.get("/studies/mine")
    assert "Preregister this study" not in page.text
    file = await client.get("/studies/mine/preregistration.json")
    assert file.headers["content-disposition"] == 'attachment; filename="mine-preregistration.json"'
    stored = file.json()
    assert content_hash(stored["document"]) == stored["document_hash"]
    assert stored["document_hash"] in page.text
    assert stored["document"]["hashes"]["design"] in page.text
    read = await client.get("/studies/mine/preregistration.md")
    assert read.headers["content-type"] == "text/markdown; charset=utf-8"
    assert stored["document_hash"] in read.text
    assert read.text.startswith("# Preregistration: mine\n")
    (design,) = re.findall(r"```json\n(.*?)\n```", read.text, re.DOTALL)
    assert json.loads(design) == stored["document"]["design"]

    by = await database.execute(text("SELECT account_id FROM event WHERE kind = 'study_preregistered'"))
    assert by.all() == [(ada,)]
    await studies.open_study(database, "mine")
    await database.commit()
    opened = unescape((await client.get("/studies/mine")).text)
    assert opened.count(stored["document"]["hashes"]["design"]) == 2, "in the block, and as the study's own"


async def test_again_or_too_late_it_is_refused_with_a_page(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await draft_study(database, "mine")
    await open_study(database, "live")
    await sign_in(client, database, "ada@example.org")
    token = {"form_token": token_in(await client.get("/studies"))}
    assert (await client.post("/studies/mine/preregister", data=token)).status_code == 303
    again = await client.post("/studies/mine/preregister", data=token)
    assert (again.status_code, "This study is preregistered already" in again.text) == (409, True)
    assert (await client.post("/studies/live/preregister", data=token)).status_code in {400, 409}
    assert "Preregistration" not in (await client.get("/studies/live")).text
    missing = await client.get("/studies/live/preregistration.md")
    assert (missing.status_code, "This study has no preregistration" in missing.text) == (404, True)
    assert (await client.post("/studies/mine/preregister", data={})).status_code == 403


async def test_nobody_sees_or_makes_someone_else_s(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await draft_study(database, "hers")
    hers = await accounts.create(database, "bob@example.org", Role.RESEARCHER, None)
    await database.execute(update(Study).values(owner_id=hers))
    await sign_in(client, database, "ada@example.org")
    token = {"form_token": token_in(await client.get("/studies"))}
    assert (await client.post("/studies/hers/preregister", data=token)).status_code == 404
    for ending in ("md", "json"):
        assert (await client.get(f"/studies/hers/preregistration.{ending}")).status_code == 404
    assert (await database.execute(text("SELECT * FROM preregistration"))).all() == []


@pytest.mark.parametrize("slug", ["plan", "new"])
def test_no_study_is_named_as_a_page_beside_the_studies(slug: str) -> None:
    with pytest.raises(DesignFaulty, match="slug: is the name of a page"):
        check_design({"slug": slug, "title": "x", "contact": "x"})
