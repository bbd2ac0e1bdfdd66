"""A whole fleet in virtual time: recorded traffic, the router's own policies, engines with measured step times."""
