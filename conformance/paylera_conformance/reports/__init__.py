"""What a run leaves behind: the raw run, and every report, each made from it alone."""
