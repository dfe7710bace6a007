import asyncio, cProfile, pstats, sys, os, threading, subprocess, tempfile, time
from pathlib import Path
from app.postgres import Cluster, hold
from benchmarks.judging import big_studies, load
from app import migrating
import psycopg, uvicorn
from itertools import count
if len(sys.argv) > 1 and sys.argv[1] == "load":
    port, key, secs, slug = int(sys.argv[2]), bytes.fromhex(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
    m = asyncio.run(load.candor(port, 32, load.Timing(secs), slug, key, count())) if slug != "bare" else asyncio.run(load.bare(port, 32, load.Timing(secs)))
    print("judgements", m.judgements, "errors", m.errors, flush=True); sys.exit()
with tempfile.TemporaryDirectory() as d:
    with hold(Cluster(Path(d)/"pg")) as db:
        url = db.sqlalchemy_url
        migrating.upgrade(url); big_studies.make_set(url, "small", 200); asyncio.run(big_studies.open_study(url, "small", 200))
        with psycopg.connect(url.replace("+psycopg",""), autocommit=True) as c:
            c.execute("VACUUM ANALYZE"); key = bytes(c.execute("SELECT key FROM study").fetchone()[0])
        os.environ["CANDOR_DATABASE_URL"] = url
        slug = os.environ.get("WHAT", "small")
        app = "app.main:from_environment" if slug != "bare" else "benchmarks.judging.bare:app"
        config = uvicorn.Config(app, factory=slug != "bare", port=8777, log_level="error", access_log=False, server_header=False, date_header=False)
        server = uvicorn.Server(config)
        def drive():
            time.sleep(3)
            t0 = time.process_time()
            out = subprocess.run([sys.executable, __file__, "load", "8777", key.hex(), "6", slug], capture_output=True, text=True)
            print(out.stdout, out.stderr[-300:], "cpu", time.process_time() - t0, flush=True)
            n = int(out.stdout.split()[1]); print("app cpu ms/judgement", 1000*(time.process_time()-t0)/n)
            server.should_exit = True
        threading.Thread(target=drive, daemon=True).start()
        if os.environ.get("PROFILE"):
            p = cProfile.Profile(); p.enable(); server.run(); p.disable()
            s = pstats.Stats(p); s.sort_stats("tottime").print_stats(45)
        else: server.run()
