"""The wire: the client, kept connections, the raw socket, the request budget."""
