"""What happens to a connection before a request reaches the application: limits, ambiguity, TLS, ports."""
