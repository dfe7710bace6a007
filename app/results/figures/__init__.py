"""Figures as geometry: what a chart shows (`charts`), and where its lines, marks and words lie (`drawings`).

No HTML here: a template draws what a `Drawing` lists, and `app.results.figures.paper` draws the same charts for papers.
"""
