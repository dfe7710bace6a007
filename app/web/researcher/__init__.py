"""What researchers see: their studies, progress by level, and the exports."""
