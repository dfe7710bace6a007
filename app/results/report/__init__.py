"""The report: its parts, their sentences, tables and charts, and the document."""
