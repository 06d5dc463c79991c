"""The examination of a target before anything is judged."""
