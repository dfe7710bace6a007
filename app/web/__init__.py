"""HTTP: one package an audience (annotator, researcher, admin, login), and what they share."""
