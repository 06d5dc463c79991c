"""One request, from the WSGI environment to the response."""
