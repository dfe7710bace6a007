import asyncio, tempfile
from pathlib import Path
from app.postgres import Cluster, hold
from app import migrating
from app.db import Database, _driver_sql
from app.study import choices
from app.study.choices import Judgement
from app.terms import Answer
from benchmarks.judging import big_studies
import psycopg
async def main(url):
    await big_studies.open_study(url, "small", 200)
    db = Database(url, 1); await db.open()
    from app.study import entering, participations
    from app.study.entering import Arrival
    from app.study.tokens import synthetic_proof
    from app.study.places import find_place
    from sqlalchemy import text
    async with db.sessions.begin() as s:
        key = await s.scalar(text("SELECT key FROM study"))
        ids=[]
        for n in range(30):
            ids.append(await entering.enter(s, "small", Arrival(f"p{n}", proof=synthetic_proof(key, f"p{n}"))))
    for a in ids:
        async with db.sessions.begin() as s:
            for work in (participations.consent, participations.end_instructions, participations.start_judging):
                await work(s, await find_place(s, "small", a, lock=True))
    async with db.sessions.begin() as s: study = (await find_place(s, "small", ids[0])).study
    for a in ids:
        for p in range(1, 60):
            assert await choices.show_pair(db.run, study, a, p)
            assert await choices.submit_choice(db.run, study, a, p, Judgement(Answer.LEFT))
    driver = await db._pool.getconn()
    import time
    a = ids[3]
    show = {"study": study.id, "annotator": a, "position": 60, "minutes": 40, "beliefs": False, "sycophantic": "sycophantic"}
    store = choices._values(study, a, 60, Judgement(Answer.LEFT))
    for name, stmt, params in (("show", choices._SHOW, show), ("store", choices._STORE_HELD, store)):
        cur = await driver.execute("EXPLAIN (ANALYZE, BUFFERS) " + _driver_sql(stmt.text), params)
        print("=====", name); print("\n".join(r[0] for r in await cur.fetchall()))
    # timing
    for a in ids[10:12]:
        t=time.perf_counter()
        for p in range(60, 100): await choices.show_pair(db.run, study, a, p) ; await choices.submit_choice(db.run, study, a, p, Judgement(Answer.LEFT))
        print("ms a judgement, serial", 1000*(time.perf_counter()-t)/40)
    await db._pool.putconn(driver); await db.close()
with tempfile.TemporaryDirectory() as d:
    with hold(Cluster(Path(d)/"pg")) as s:
        migrating.upgrade(s.sqlalchemy_url); big_studies.make_set(s.sqlalchemy_url, "small", 200)
        asyncio.run(main(s.sqlalchemy_url))
