"""Where results come from: a study in the database, or exported files."""
