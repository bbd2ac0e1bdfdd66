"""One GET to a server of this pod, by probes and hooks: nothing is kept, nothing is followed."""

import http.client


def get(host: str, port: int, path: str, timeout_s: float) -> tuple[int, str]:
    """Status and body.

    Raises:
        OSError: it does not answer.
        http.client.HTTPException: not as HTTP servers do.
    """
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
