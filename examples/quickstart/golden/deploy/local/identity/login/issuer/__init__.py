"""A small OpenID Connect issuer for local runs: real tokens, and users without passwords.

Never for production: whoever reaches it may be anybody.
"""
