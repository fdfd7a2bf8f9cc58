# SPDX-License-Identifier: MIT
"""A QMux client and server on a foreign QUIC stack (aioquic), written from docs/PROTOCOL.md.

It shares no code and no library with the program under test, so that an agreement between the two is an agreement
with the document. It is a test's tool: correct first, not fast, and it trusts its configuration.
"""
