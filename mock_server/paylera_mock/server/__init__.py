"""The process, its connections and TLS, the ready line, shutdown."""
