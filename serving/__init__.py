"""Engines under Ray: a deployment file becomes a Ray Serve application of vLLM replicas.

Each replica opens vLLM's whole HTTP API on a port of its own. Ray decides where replicas live, restarts and drains
them; who asks which replica is not decided here. This package never imports the router, and the router never imports
this package: they meet over HTTP.
"""
