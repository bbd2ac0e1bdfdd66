# Sourced by the commands of cluster.yaml, on every machine, before Ray is started there: what every process of the
# cluster must have. The values are those of serving/environment.py, and a test holds them against it.
export RAY_SERVE_ENABLE_DIRECT_INGRESS=1
export RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING=1
export RAY_SERVE_FORCE_STOP_UNHEALTHY_REPLICAS=1
export RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S=6
export RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD=0
export RAY_process_group_cleanup_enabled=1
export RAY_worker_niceness=0
export RAY_AUTH_MODE=token
export RAY_USAGE_STATS_ENABLED=0

# The token, and the environment with Ray, vLLM and this project, as docs/deploy.md has them made.
export RAY_AUTH_TOKEN_PATH="$HOME/tramontane/token"
export PATH="/opt/tramontane-engines/bin:$PATH"
