#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What an SRT caller asks for, out of its stream id (SRT Access Control, docs/features/
// access-control.md of libsrt; conventions 2), and the rule for stream names.
//
//   standard    #!::r=live/cam1,m=publish,u=joe,sluice_token=..   also percent-encoded whole;
//   always sluice      live/cam1   publish/live/cam1   publish:live/cam1  also play, read, request
//   srs         live/cam1[?token=..]   and as it was before: #!::h=[vhost/]live/cam1,m=publish
//   mediamtx    publish:live/cam1[:joe:secret][:query]   read:..   the password becomes the session
//   srtrelay    publish/cam1[/secret]   play/..            likewise; names of one segment. Goes
//               before ours where it is taken
//   sls         uplive.sls.com/live/cam1   live.sls.com/.. names live/cam1, the domain the mode;
//               uplive.* and live.* too where others than the default are taken
//   openirl     an opaque name; the listener's default says the mode
//   ome         vhost/app/stream[/playlist]                the playlist is a player's
//               srt://host[:port]/app/stream               as it was before
//   restreamer  live/cam1[,mode:publish][,token:..]
//               #!:m=publish,r=live/cam1,token=..          as it was before
//
// Where nothing says the mode it is unset: the listener's default. Blanks around the whole and
// slashes around a name are passed over. What shows none of the characters that part these forms
// may be percent-encoded whole; else a name may be, once. A name may have a query behind it, of
// which the token is taken; user, session and token are taken as sent.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STREAM_NAME_MAX = 128, // bytes
	STREAMID_FIELD_MAX = 255,
};

enum streamid_mode { STREAMID_UNSET, STREAMID_PLAY, STREAMID_PUBLISH };

enum streamid_dialect {
	STREAMID_SLUICE,
	STREAMID_SRS,
	STREAMID_MEDIAMTX,
	STREAMID_SRTRELAY,
	STREAMID_SLS,
	STREAMID_OPENIRL,
	STREAMID_OME,
	STREAMID_RESTREAMER,
	STREAMID_DIALECTS
};

// Without a word from the listener: all whose forms mean one thing only. (play/a/b is a stream a/b
// to us, and a with the password b to srtrelay; a/b/c/d lies in c to OME.)
#define STREAMID_DEFAULT                                                        \
	(1u << STREAMID_SLUICE | 1u << STREAMID_SRS | 1u << STREAMID_MEDIAMTX | \
		1u << STREAMID_SLS | 1u << STREAMID_OPENIRL | 1u << STREAMID_RESTREAMER)

enum streamid_error {
	STREAMID_E_SYNTAX = -1,	 // not of the form it began; a key twice; a value too long
	STREAMID_E_NAME = -2,	 // not a stream name
	STREAMID_E_MODE = -3,	 // a mode or type we do not serve: bidirectional, file, auth
	STREAMID_E_KEY = -4,	 // a key of one letter (those are the standard's) that is not known
	STREAMID_E_DIALECT = -5, // of no form that is taken here
};

struct streamid {
	enum streamid_mode mode;
	char name[STREAM_NAME_MAX + 1]; // empty: none given, the listener's default
	char user[STREAMID_FIELD_MAX + 1];
	char session[STREAMID_FIELD_MAX + 1];
	char token[STREAMID_FIELD_MAX + 1];
};

// Parse a stream id by the standard and these dialects (bit per enum streamid_dialect; 0: the
// default). Returns 0, or an enum streamid_error (out untouched). Keys of several letters that are
// not ours are somebody else's and passed over.
int streamid_parse(const char *text, uint32_t dialects, struct streamid *out);

// A stream id as it may be told: decoded if it was encoded whole, printable ASCII, starred but for
// what is known to be no secret (name, user, mode, host, keys, tokens of ours without their
// signature), cut to cap bytes (8 or more) with its end. id: what parsing has
// found, all zero when it found a fault.
void streamid_show(const char *text, const struct streamid *id, char *out, size_t cap);

// "srs" -> STREAMID_SRS. Returns -1 for what is none; NULL past the last.
int streamid_dialect_find(const char *name);
const char *streamid_dialect_name(int dialect);

// What is wrong, one sentence; and the wire value to refuse the caller with (srt-wire 5.3).
const char *streamid_error_str(int error);
int streamid_reject_code(int error);

// [A-Za-z0-9._-]+ joined by single slashes, at most 128 bytes, no segment . or .. (decisions B4).
bool stream_name_ok(const char *name);
