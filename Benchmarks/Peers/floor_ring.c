/*
 * FUSE over io_uring by raw system calls (Documentation/filesystems/fuse/fuse-io-uring.rst): one ring and one thread for each CPU. The
 * thread answers all that has come, and commits it together with the wait for more, in one system call.
 */
#include "floor.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "zero_files.h"

/* What follows is missing in the headers of Debian 12; under names of its own, so that newer headers do not clash (7.42). */
enum { COMMAND_REGISTER = 1, COMMAND_COMMIT_AND_FETCH = 2 };

/* struct fuse_uring_req_header: the message's header and arguments, and the reply's header. */
struct ring_header {
    char in_out[128];
    char args[128];
    uint64_t flags;
    uint64_t commit_id;
    uint32_t payload_bytes;
    uint32_t padding;
    uint64_t reserved;
};

/* struct fuse_uring_cmd_req: in the command area of a submission. */
struct ring_command {
    uint64_t flags;
    uint64_t commit_id;
    uint16_t queue;
    uint8_t padding[6];
};

_Static_assert(sizeof(struct ring_header) == 288, "the layout is the kernel's");
_Static_assert(sizeof(struct ring_command) == 24, "the layout is the kernel's");
_Static_assert(offsetof(struct io_uring_sqe, cmd) == 48, "the layout is the kernel's");

/* A submission of 128 bytes: the command goes over the end of the first half and all of the second. */
struct wide_sqe {
    struct io_uring_sqe sqe;
    char rest[64];
};

_Static_assert(sizeof(struct wide_sqe) == 128, "IORING_SETUP_SQE128");

struct entry {
    struct ring_header *header;
    char *payload;
    struct iovec iov[2];
};

struct queue {
    int fd;
    uint16_t number;
    unsigned *sq_tail, sq_mask;
    unsigned *cq_head, *cq_tail, cq_mask;
    struct wide_sqe *sqes;
    struct io_uring_cqe *cqes;
    struct entry *entries;
    unsigned prepared;  /* the tail that the kernel will see */
    unsigned submitted; /* how far the kernel has taken it */
    unsigned in_kernel; /* entries that the kernel has, or will have with the next submission */
};

static void *map_ring(int fd, size_t bytes, off_t offset)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

    if (memory == MAP_FAILED)
        die("mapping a ring");
    return memory;
}

static void set_up(struct queue *queue)
{
    struct io_uring_params params = { .flags = IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };

    queue->fd = syscall(SYS_io_uring_setup, options.ring_depth, &params);
    if (queue->fd < 0)
        die("io_uring_setup (Linux 6.1, /proc/sys/kernel/io_uring_disabled at 0)");

    /* Since Linux 5.4 both rings lie in one mapping (IORING_FEAT_SINGLE_MMAP). */
    size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    char *rings = map_ring(queue->fd, sq_bytes > cq_bytes ? sq_bytes : cq_bytes, IORING_OFF_SQ_RING);
    unsigned *array = (unsigned *)(rings + params.sq_off.array);

    queue->sqes = map_ring(queue->fd, params.sq_entries * sizeof(struct wide_sqe), IORING_OFF_SQES);
    queue->sq_tail = (unsigned *)(rings + params.sq_off.tail);
    queue->sq_mask = *(unsigned *)(rings + params.sq_off.ring_mask);
    queue->cq_head = (unsigned *)(rings + params.cq_off.head);
    queue->cq_tail = (unsigned *)(rings + params.cq_off.tail);
    queue->cq_mask = *(unsigned *)(rings + params.cq_off.ring_mask);
    queue->cqes = (struct io_uring_cqe *)(rings + params.cq_off.cqes);
    queue->prepared = queue->submitted = *queue->sq_tail;
    for (unsigned i = 0; i < params.sq_entries; i++)
        array[i] = i;
}

/* An entry is prepared once between two submissions, and there is room for all of them. */
static struct io_uring_sqe *prepare(struct queue *queue, unsigned index, unsigned operation, uint64_t commit_id)
{
    struct wide_sqe *wide = &queue->sqes[queue->prepared++ & queue->sq_mask];
    struct ring_command command = { .commit_id = commit_id, .queue = queue->number };

    memset(wide, 0, sizeof *wide);
    wide->sqe.opcode = IORING_OP_URING_CMD;
    wide->sqe.fd = device;
    wide->sqe.cmd_op = operation;
    wide->sqe.user_data = index;
    memcpy((char *)wide + offsetof(struct io_uring_sqe, cmd), &command, sizeof command);
    queue->in_kernel++;
    return &wide->sqe;
}

static void register_entry(struct queue *queue, unsigned index)
{
    struct entry *entry = &queue->entries[index];

    entry->header = map_buffer(sizeof *entry->header);
    entry->payload = map_buffer(MESSAGE_BYTES);
    entry->iov[0] = (struct iovec) { entry->header, sizeof *entry->header };
    entry->iov[1] = (struct iovec) { entry->payload, MESSAGE_BYTES };

    struct io_uring_sqe *sqe = prepare(queue, index, COMMAND_REGISTER, 0);
    sqe->addr = (uintptr_t)entry->iov;
    sqe->len = 2;
}

/* The reply's payload goes over the message's. What takes no reply comes by /dev/fuse; a stray one is committed empty. */
static void serve(struct queue *queue, unsigned index)
{
    struct ring_header *header = queue->entries[index].header;
    char *payload = queue->entries[index].payload;
    struct fuse_in_header in = *(struct fuse_in_header *)header->in_out;
    uint64_t commit_id = header->commit_id;
    int length = answer(&in, header->args, payload, payload);
    uint32_t payload_bytes = length > 0 ? length : 0;

    *(struct fuse_out_header *)header->in_out = (struct fuse_out_header) {
        .len = sizeof(struct fuse_out_header) + payload_bytes,
        .error = length < 0 && length != NO_REPLY ? length : 0,
        .unique = in.unique,
    };
    header->payload_bytes = payload_bytes;
    prepare(queue, index, COMMAND_COMMIT_AND_FETCH, commit_id);
}

static void submit_and_wait(struct queue *queue)
{
    __atomic_store_n(queue->sq_tail, queue->prepared, __ATOMIC_RELEASE);
    int taken = syscall(SYS_io_uring_enter, queue->fd, queue->prepared - queue->submitted, 1, IORING_ENTER_GETEVENTS, NULL, 0);

    if (taken >= 0)
        queue->submitted += taken;
    else if (errno != EINTR && errno != EAGAIN && errno != EBUSY)
        die("io_uring_enter");
}

static void complete(struct queue *queue, const struct io_uring_cqe *cqe)
{
    queue->in_kernel--;
    if (cqe->res == 0) {
        serve(queue, cqe->user_data);
    } else if (cqe->res != -ENOTCONN && cqe->res != -ECANCELED && cqe->res != -ENODEV) {
        /* Those three end the connection; anything else refuses the command. */
        errno = -cqe->res;
        die("FUSE_IO_URING_CMD");
    }
}

void *serve_ring(void *cpu)
{
    struct queue queue = { .number = (uintptr_t)cpu };

    pin_to(queue.number);
    queue.entries = calloc(options.ring_depth, sizeof *queue.entries);
    if (queue.entries == NULL)
        die("calloc");
    set_up(&queue);
    for (unsigned i = 0; i < options.ring_depth; i++)
        register_entry(&queue, i);
    while (queue.in_kernel > 0) {
        submit_and_wait(&queue);
        unsigned head = *queue.cq_head;
        while (head != __atomic_load_n(queue.cq_tail, __ATOMIC_ACQUIRE)) {
            struct io_uring_cqe cqe = queue.cqes[head & queue.cq_mask];
            __atomic_store_n(queue.cq_head, ++head, __ATOMIC_RELEASE);
            complete(&queue, &cqe);
        }
    }
    close(queue.fd);
    return NULL;
}
