// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/bulk.h"

#include <sys/mman.h>

void *bulk_new(size_t n, size_t size)
{
	void *p = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, n * size, MADV_HUGEPAGE); // where there are none, small ones do
	return p;
}

void bulk_free(void *array, size_t n, size_t size)
{
	if (array)
		munmap(array, n * size);
}
