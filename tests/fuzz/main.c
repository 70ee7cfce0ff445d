// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Replays corpus folders through a fuzz target, one file at a time and its prefixes, from memory of
// exactly that size, so that a sanitizer sees every byte read too far.

#include "fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

#ifndef FUZZ_PREFIXES
#define FUZZ_PREFIXES 512 // of each file, at most
#endif

enum { FILE_MAX = 65536 };

static void feed(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	FUZZ_CHECK(exact);
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

// Returns 0, or 1 when the file cannot be read.
static int replay_file(const char *path)
{
	static uint8_t data[FILE_MAX];
	FILE *f = fopen(path, "rb");
	size_t len, step;

	if (!f) {
		perror(path);
		return 1;
	}
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	step = len / FUZZ_PREFIXES + 1;
	for (size_t n = 0; n < len; n += step)
		feed(data, n);
	feed(data, len);
	return 0;
}

// Returns how many files were fed, or -1.
static int replay_folder(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int n = 0;

	if (!d) {
		perror(folder);
		return -1;
	}
	while ((e = readdir(d))) {
		char path[PATH_MAX];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (replay_file(path)) {
			n = -1;
			break;
		}
		n++;
	}
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int n = replay_folder(argv[i]);

		if (n <= 0) {
			fprintf(stderr, "%s: no corpus\n", argv[i]);
			return 1;
		}
		printf("%s: %d files\n", argv[i], n);
	}
	return argc < 2;
}
