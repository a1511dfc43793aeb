"""The open quality comparison: seeded test set, systems, measures, report (needs the extra `eval`)."""
