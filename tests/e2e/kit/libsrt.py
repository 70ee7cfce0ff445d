# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Haivision's library itself, for what its programs do not print: the exact code of a rejection."""

import ctypes
import socket
import struct

SRTO_PASSPHRASE, SRTO_TRANSTYPE, SRTO_STREAMID, SRTO_PEERLATENCY, SRTO_RCVLATENCY, SRTO_CONNTIMEO = 26, 50, 46, 44, 43, 36
SRTO_KMREFRESHRATE, SRTO_KMPREANNOUNCE = 51, 52
SRTO_ENFORCEDENCRYPTION, SRTO_PACKETFILTER, SRTO_MESSAGEAPI = 53, 60, 48
SRTO_MSS, SRTO_PAYLOADSIZE = 0, 49
SRTT_FILE = 1
SRT_INVALID = -1

_lib = None


def _load():
    global _lib
    if _lib is None:
        for name in ("libsrt.so.1.5", "libsrt-gnutls.so.1.5"):
            try:
                _lib = ctypes.CDLL(name)
                break
            except OSError:
                continue
        else:
            raise RuntimeError("libsrt is not installed")
        _lib.srt_startup()
        _lib.srt_setloglevel(0)
        _lib.srt_getlasterror_str.restype = ctypes.c_char_p
    return _lib


class Rejected(Exception):
    """The wire value of the rejection: 1000 + libsrt's reason."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class Caller:
    """A connected SRT socket. Options by number, text or integer."""

    def __init__(self, port, streamid=None, options=(), timeout_ms=3000, ipv6=False):
        lib = _load()
        self.fd = lib.srt_create_socket()
        for option, value in [*options, (SRTO_CONNTIMEO, timeout_ms), *([(SRTO_STREAMID, streamid)] if streamid else [])]:
            raw = value.encode() if isinstance(value, str) else struct.pack("=i", value)
            if lib.srt_setsockflag(self.fd, option, raw, len(raw)) == SRT_INVALID:
                raise ValueError(f"option {option}: {lib.srt_getlasterror_str().decode()}")
        if ipv6:
            address = struct.pack("=H", socket.AF_INET6) + struct.pack(">H", port) + bytes(4) + bytes(15) + b"\1" + bytes(4)
        else:
            address = struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton("127.0.0.1") + bytes(8)
        if lib.srt_connect(self.fd, address, len(address)) == SRT_INVALID:
            text, reason = lib.srt_getlasterror_str().decode(), lib.srt_getrejectreason(self.fd)
            self.close()
            raise Rejected(1000 + reason, text)

    def send(self, data):
        if _lib.srt_sendmsg2(self.fd, data, len(data), None) == SRT_INVALID:
            raise OSError(_lib.srt_getlasterror_str().decode())

    def receive(self):
        """One message; None when the connection is gone."""
        buffer = ctypes.create_string_buffer(1500)
        n = _lib.srt_recvmsg2(self.fd, buffer, len(buffer), None)
        return buffer.raw[:n] if n > 0 else None

    def close(self):
        if self.fd is not None:
            _lib.srt_close(self.fd)
            self.fd = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def reject_code(port, streamid=None, options=(), **more):
    """Connects. The wire value of the rejection, None when the relay takes the caller (which then leaves)."""
    try:
        Caller(port, streamid, options, **more).close()
    except Rejected as rejected:
        return rejected.code
    return None
