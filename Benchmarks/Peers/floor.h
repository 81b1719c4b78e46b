/*
 * A null FUSE server in bare C: no library, no more work than the kernel forces on it. It is the limit that channels are measured against.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <limits.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the command line chose. Set before the first thread starts. */
struct options {
    const char *mount_point;
    unsigned threads;         /* readers of /dev/fuse */
    bool clone;               /* each reader has a descriptor of its own */
    unsigned ring_depth;      /* entries of each CPU's ring; 0 for none */
    bool pin;                 /* reader n on the n-th CPU, a ring's thread on its ring's CPU */
    unsigned max_background;
    unsigned timeout_seconds; /* how long the kernel may trust names and attributes */
};

extern struct options options;

/* What answer() returns for a message that takes no reply. */
enum { NO_REPLY = INT_MIN };

/*
 * Answers one message: writes the reply's payload to out, which holds MESSAGE_BYTES and may lie over the message's payload, and returns its
 * length, -errno, or NO_REPLY. args are the opcode's fixed arguments; payload is what follows them.
 */
int answer(const struct fuse_in_header *in, const void *args, const char *payload, void *out);

/* Serves the FUSE queue of one CPU until the connection ends. The argument is the CPU's number. */
void *serve_ring(void *cpu);

/* The connection's descriptor. */
extern int device;

/* Page-aligned memory, all zero. */
void *map_buffer(size_t bytes);

/* Keeps the calling thread on a CPU, if that was asked for. */
void pin_to(unsigned cpu);

/* CPUs that may ever be there: the kernel wants a ring for each (fs/fuse/dev_uring.c, fuse_uring_create). */
unsigned possible_cpus(void);

/* Prints what failed, with errno, unmounts, and ends the process. */
_Noreturn void die(const char *what);

#endif
