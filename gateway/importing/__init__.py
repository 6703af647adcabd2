"""`gateway import`: many contacts from a file, through upsertContacts."""
