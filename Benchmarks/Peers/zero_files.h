/*
 * What every server here serves, as backend null of the harness does: a directory with sixteen files, zero.0 to zero.15, of 1 TiB each.
 * Reads yield zeros, writes vanish. There is one file per job because several direct writers to one file measure that file's inode lock.
 */
#ifndef ZERO_FILES_H
#define ZERO_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    FILE_COUNT = 16,
    ROOT_NODE = 1,
    FIRST_FILE_NODE = 2,
    BLOCK_BYTES = 4096,
    /* The largest data of one message: what the kernel's max_pages_limit of 256 pages allows without root. */
    MESSAGE_BYTES = 1 << 20,
};

static const uint64_t FILE_BYTES = 1ull << 40;

static inline bool is_file(uint64_t node)
{
    return node - FIRST_FILE_NODE < FILE_COUNT;
}

/* The name of a file of the directory. Valid until the next call on this thread. */
static inline const char *file_name(unsigned index)
{
    static _Thread_local char name[16];

    snprintf(name, sizeof name, "zero.%u", index);
    return name;
}

/* The node of a name, or 0 if there is none. */
static inline uint64_t find_file(const char *name)
{
    for (unsigned i = 0; i < FILE_COUNT; i++)
        if (strcmp(name, file_name(i)) == 0)
            return FIRST_FILE_NODE + i;
    return 0;
}

/* How much of a read or write at this offset lies within a file. */
static inline size_t clip(uint64_t offset, size_t size)
{
    if (offset >= FILE_BYTES)
        return 0;
    return size < FILE_BYTES - offset ? size : FILE_BYTES - offset;
}

#endif
