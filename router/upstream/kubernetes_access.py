"""Where the API server is, and by what a router shows who it is.

In a pod Kubernetes gives both: two variables, and three files of the pod's ServiceAccount. The token is changed every
hour and the authority may be, so files are read for each request; they are small. Outside a pod everything is named in
the configuration. A pod's own token is never sent to an address from the configuration: that may be anybody's.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # where every pod has it


@dataclass(frozen=True, slots=True)
class Reach:
    """How to ask now. `tls`: True takes the system's authorities."""

    url: str  # base URL without a trailing slash
    namespace: str
    token: str | None
    tls: ssl.SSLContext | bool


@dataclass(slots=True)
class Access:
    """What the configuration says of one API server.

    `url` None: the pod's own. `namespace` None: the pod's own. `token` None: the pod's own, and none outside; it may
    raise OSError or ValueError, as `reach` does. `environ`, `folder`: the pod's.
    """

    url: str | None
    namespace: str | None
    environ: Mapping[str, str]
    token: Callable[[], str | None] | None = None
    ca_file: Path | None = None
    folder: Path = SERVICE_ACCOUNT
    _authority: str = field(default="", repr=False)
    _tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def prefix(self) -> str:
        """Tells this cluster's pods from those of the pod's own cluster."""
        return "" if self.url is None else f"{urlsplit(self.url).netloc}/"

    def reach(self) -> Reach:
        """Raises OSError or ValueError, saying what cannot be read."""
        url = self._pods_own() if self.url is None else self.url.rstrip("/")
        namespace = self.namespace or (self.folder / "namespace").read_text().strip()
        if not namespace:
            raise ValueError("the pod's own namespace is empty; set discovery.namespace")
        ca_file = self.ca_file if self.url is not None or self.ca_file is not None else self.folder / "ca.crt"
        tls = True if ca_file is None or not url.startswith("https:") else self._context(ca_file.read_text())
        return Reach(url, namespace, self._token_now(), tls)

    def _token_now(self) -> str | None:
        if self.token is not None:
            return self.token()
        if self.url is not None:
            return None
        token = (self.folder / "token").read_text().strip()
        if not token:
            raise ValueError("the pod's own token is empty")
        return token

    def _pods_own(self) -> str:
        host, port = self.environ.get("KUBERNETES_SERVICE_HOST"), self.environ.get("KUBERNETES_SERVICE_PORT")
        if not host or not port:
            raise ValueError("this is no pod (KUBERNETES_SERVICE_HOST is not set); set discovery.api")
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"

    def _context(self, authority: str) -> ssl.SSLContext:
        """One for as long as the authority is the same, so that connections can be kept."""
        if self._tls is None or authority != self._authority:
            context = ssl.create_default_context(cadata=authority)
            # clusters' authorities are often made without the identifiers that Python 3.13 asks of certificates
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            self._tls, self._authority = context, authority
        return self._tls
