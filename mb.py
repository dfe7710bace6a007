import time
from app.web.pages import render
from app.web.frames import render_in_frame
from app.web.annotator.judging import FILLED, same_frame
from app.web.annotator.pages import Judge
T="It's a long text with some words in it, and \"quotes\". "*18
def page(i): return Judge(title=f"Pair {i%20+1} of 20",action=f"/s/x/pairs/{i%20+1}",token=f"{i}-abc",contact="a@b.org",stop="/s/x/stop",purpose="study",question="Which?",prompt=T[:200],first=T,second=T[3:],practice=False,position=i%20+1,n_pairs=20)
for _ in range(3):
    t=time.perf_counter()
    for i in range(2000): render(page(i))
    a=time.perf_counter()-t; t=time.perf_counter()
    for i in range(2000): p=page(i); render_in_frame(p,FILLED,same_frame(p))
    b=time.perf_counter()-t; print("us", a/2000*1e6, b/2000*1e6)
p=page(3); assert render(p).body==render_in_frame(p,FILLED,same_frame(p)).body
