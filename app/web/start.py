"""The start page, and the address by which a balancer asks whether this process works."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import text

from app.web.deps import AppSettings, ReadSession
from app.web.login.pages import Start
from app.web.pages import render

router = APIRouter()

DEMO_STUDY = "demo"
EXAMPLE_STUDY = "example"


@router.get("/")
async def start(settings: AppSettings) -> Response:
    """Say what Candor is; in the demo, offer the three ways in."""
    if not settings.demo:
        return render(Start(title="Candor", demo=False))
    return render(
        Start(
            title="Candor",
            demo=True,
            take_part=f"/s/{DEMO_STUDY}",
            results=f"/studies/{EXAMPLE_STUDY}/results",
            manage="/admin/sets",
        )
    )


@router.get("/healthz")
async def health(session: ReadSession) -> Response:
    """Answer "ok" when the database answers."""
    await session.execute(text("SELECT 1"))
    return PlainTextResponse("ok")
