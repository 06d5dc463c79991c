"""One request on its way from the WSGI environment to the response."""
