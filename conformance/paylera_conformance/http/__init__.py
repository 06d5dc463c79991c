"""The wire: the client, the raw socket, the deadline, the request budget."""
