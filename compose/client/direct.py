"""HTTP to a node: by no proxy, since what the environment names is for the world outside.

Nor is a redirect obeyed: it would carry the token to an address that nobody named.
"""

import urllib.request


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """The redirect is the answer."""


open_url = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects).open
