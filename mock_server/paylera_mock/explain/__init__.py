"""Why a request was decided as it was: the trace of its checks, hints, near misses, and the dry run."""
