"""What Kubernetes' API server says of a Service's endpoints, by values alone."""
