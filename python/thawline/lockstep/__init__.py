"""Who waits for whom: a session trains only as far as it was granted, measures, obeys and reports."""
