"""A plain client that walks the annotator's way over HTTP, one form at a time."""

import httpx

from app.cli.walking import ReadPage, read_page


class Walker:
    """One person at a plain browser: no JavaScript, cookies kept, redirects followed by hand."""

    def __init__(self, client: httpx.AsyncClient, slug: str) -> None:
        self.client = client
        self.slug = slug
        self.response: httpx.Response | None = None

    @property
    def page(self) -> ReadPage:
        assert self.response is not None
        return read_page(self.response.text)

    @property
    def path(self) -> str:
        assert self.response is not None
        return self.response.url.path.removeprefix(f"/s/{self.slug}")

    @property
    def html(self) -> str:
        assert self.response is not None
        return self.response.text

    async def enter(self, query: str = "pid=someone") -> "Walker":
        self.response = await self.client.get(f"/s/{self.slug}?{query}", follow_redirects=True)
        return self

    async def get(self, page: str) -> "Walker":
        self.response = await self.client.get(f"/s/{self.slug}{page}", follow_redirects=True)
        return self

    async def send(self, **answers: str) -> "Walker":
        page = self.page
        self.response = await self.client.post(page.action, data=page.hidden | answers, follow_redirects=True)
        return self

    async def to_judging(self, query: str = "pid=someone") -> "Walker":
        await self.enter(query)
        await self.send(consent="yes")
        await self.send()
        return await self.send(side="left")

    async def judge_all(self, side: str = "left") -> "Walker":
        while self.path.startswith("/pairs/"):
            await self.send(side=side)
        return self
