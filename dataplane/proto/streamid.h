#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What an SRT caller asks for, out of its stream id (SRT Access Control, docs/features/
// access-control.md of libsrt; conventions 2), and the rule for stream names.
//
//   #!::r=live/cam1,m=publish,u=joe,sluice_token=..   the standard form; also percent-encoded whole
//   publish:live/cam1  publish/live/cam1              also play: play/ read: request:
//   publish:live/cam1:joe:secret                      MediaMTX; the password becomes the session
//   live/cam1,mode:publish,token:..                   Restreamer
//   live/cam1                                         mode unset: the listener's default
//
// Blanks around the whole and slashes before a name are passed over. A name may be percent-encoded
// once; user, session and token are taken as sent.

#include <stdbool.h>

enum {
	STREAM_NAME_MAX = 128, // bytes
	STREAMID_FIELD_MAX = 255,
};

enum streamid_mode { STREAMID_UNSET, STREAMID_PLAY, STREAMID_PUBLISH };

enum streamid_error {
	STREAMID_E_SYNTAX = -1, // not of the form it began; a key twice; a value too long
	STREAMID_E_NAME = -2,	// not a stream name
	STREAMID_E_MODE = -3,	// a mode or type we do not serve: bidirectional, file, auth
	STREAMID_E_KEY = -4,	// a key of one letter (those are the standard's) that is not known
};

struct streamid {
	enum streamid_mode mode;
	char name[STREAM_NAME_MAX + 1]; // empty: none given, the listener's default
	char user[STREAMID_FIELD_MAX + 1];
	char session[STREAMID_FIELD_MAX + 1];
	char token[STREAMID_FIELD_MAX + 1];
};

// Parse a stream id. Returns 0, or an enum streamid_error (out untouched). Keys of several letters
// that are not ours are somebody else's and passed over.
int streamid_parse(const char *text, struct streamid *out);

// What is wrong, one sentence; and the wire value to refuse the caller with (srt-wire 5.3).
const char *streamid_error_str(int error);
int streamid_reject_code(int error);

// [A-Za-z0-9._-]+ joined by single slashes, at most 128 bytes, no segment . or .. (decisions B4).
bool stream_name_ok(const char *name);
