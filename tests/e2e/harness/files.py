# SPDX-License-Identifier: MIT
"""Files of any size with content that repeats nowhere, and their SHA-256."""

import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK_BYTES = 1024 * 1024


def make_file(path: Path, size: int) -> str:
    """Writes `size` random bytes and returns their SHA-256."""
    keystream = Cipher(algorithms.AES(os.urandom(16)), modes.CTR(os.urandom(16))).encryptor()
    digest = hashlib.sha256()
    zeros = bytes(_BLOCK_BYTES)
    with open(path, "wb") as file:
        while size > 0:
            block = keystream.update(zeros[:size])
            file.write(block)
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
