import asyncio,time,sys,uvloop
from pathlib import Path
from sqlalchemy import text
from app.postgres import Cluster, hold
from app.db import Database
import app.db as d
class No:
    async def __aenter__(s): pass
    async def __aexit__(s,*a): pass
async def main(url):
    db=Database(url,8); await db.open()
    sem=db._turns
    q=text("SELECT 1, :a")
    async def one(n):
        for i in range(n): await db.run(q,{"a":i})
    await asyncio.gather(*(one(30) for _ in range(32)))
    for r in range(4):
        for name,t in (("pool",No()),("turns",sem)):
            db._turns=t
            c=time.process_time(); await asyncio.gather(*(one(100) for _ in range(32))); print(name,(time.process_time()-c)/3200*1e6,"us cpu")
    await db.close()
with hold(Cluster(Path("/tmp/tpg"))) as s: uvloop.run(main(s.sqlalchemy_url))
