"""The backends: one folder each, all with the same files and the same functions; and what they share."""
