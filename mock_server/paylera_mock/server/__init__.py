"""The process, its socket and TLS: Granian, Werkzeug, the ready line, shutdown."""
