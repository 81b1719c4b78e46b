/* What each message is answered: the same as backend null of the harness. */
#include "floor.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "zero_files.h"

/* Missing in the headers of Debian 12, which speak 7.38: bit 41 of the INIT flags, the ninth of flags2 (7.42). */
#define FLAGS2_OVER_IO_URING (1u << 9)

enum { MINOR = 42, MINOR_MIN = 31 };

/* Those of the harness with backend null but PARALLEL_DIROPS, which libfuse 3.14 cannot ask for: all sides have the same. */
static const uint32_t init_flags = FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO |
    FUSE_ASYNC_DIO | FUSE_MAX_PAGES | FUSE_INIT_EXT;

static int answer_init(const struct fuse_init_in *offer, void *out)
{
    uint32_t flags2 = options.ring_depth > 0 ? FLAGS2_OVER_IO_URING : 0;

    if (offer->major != FUSE_KERNEL_VERSION || offer->minor < MINOR_MIN) {
        errno = EPROTO;
        die("the kernel is older than FUSE 7.31");
    }
    if ((offer->flags2 & flags2) != flags2) {
        errno = EOPNOTSUPP;
        die("FUSE over io_uring (Linux 6.14, echo Y > /sys/module/fuse/parameters/enable_uring)");
    }
    *(struct fuse_init_out *)out = (struct fuse_init_out) {
        .major = FUSE_KERNEL_VERSION,
        .minor = MINOR,
        .max_readahead = offer->max_readahead,
        .flags = init_flags & offer->flags,
        .flags2 = flags2,
        .max_background = options.max_background,
        .congestion_threshold = options.max_background * 3 / 4,
        .max_write = MESSAGE_BYTES,
        .max_pages = MESSAGE_BYTES / BLOCK_BYTES,
        .time_gran = 1,
    };
    return sizeof(struct fuse_init_out);
}

static struct fuse_attr attributes(uint64_t node)
{
    static time_t mounted;
    bool file = is_file(node);

    if (mounted == 0)
        mounted = time(NULL);
    return (struct fuse_attr) {
        .ino = node,
        .mode = file ? S_IFREG | 0666 : S_IFDIR | 0755,
        .nlink = file ? 1 : 2,
        .size = file ? FILE_BYTES : BLOCK_BYTES,
        .blocks = file ? FILE_BYTES / 512 : 0,
        .blksize = BLOCK_BYTES,
        .atime = mounted,
        .mtime = mounted,
        .ctime = mounted,
    };
}

static struct fuse_entry_out entry(uint64_t node)
{
    return (struct fuse_entry_out) {
        .nodeid = node,
        .entry_valid = options.timeout_seconds,
        .attr_valid = options.timeout_seconds,
        .attr = attributes(node),
    };
}

static int answer_lookup(uint64_t parent, const char *name, void *out)
{
    uint64_t node = parent == ROOT_NODE ? find_file(name) : 0;

    if (node == 0)
        return parent == ROOT_NODE ? -ENOENT : -ENOTDIR;
    *(struct fuse_entry_out *)out = entry(node);
    return sizeof(struct fuse_entry_out);
}

static int answer_getattr(uint64_t node, void *out)
{
    if (node != ROOT_NODE && !is_file(node))
        return -ESTALE;
    *(struct fuse_attr_out *)out = (struct fuse_attr_out) { .attr_valid = options.timeout_seconds, .attr = attributes(node) };
    return sizeof(struct fuse_attr_out);
}

static int answer_open(uint64_t node, bool directory, void *out)
{
    if (directory == is_file(node))
        return directory ? -ENOTDIR : -EISDIR;
    *(struct fuse_open_out *)out = (struct fuse_open_out) { .open_flags = directory ? 0 : FOPEN_PARALLEL_DIRECT_WRITES };
    return sizeof(struct fuse_open_out);
}

/* Fills the reply, really: that is what a file system does, and a reader must not see what the buffer held before. */
static int answer_read(uint64_t node, const struct fuse_read_in *arg, void *out)
{
    size_t length = clip(arg->offset, arg->size);

    if (!is_file(node))
        return -EISDIR;
    if (length > MESSAGE_BYTES)
        return -EINVAL;
    memset(out, 0, length);
    return length;
}

static int answer_write(uint64_t node, const struct fuse_write_in *arg, void *out)
{
    size_t length = clip(arg->offset, arg->size);

    if (!is_file(node))
        return -EISDIR;
    if (length == 0 && arg->size > 0)
        return -EFBIG;
    *(struct fuse_write_out *)out = (struct fuse_write_out) { .size = length };
    return sizeof(struct fuse_write_out);
}

/* The offset counts the names returned so far: ".", "..", and the files in order. */
static int answer_readdir(uint64_t node, const struct fuse_read_in *arg, bool plus, char *out)
{
    struct fuse_read_in asked = *arg;
    size_t head = plus ? sizeof(struct fuse_entry_out) : 0;
    size_t length = 0;

    if (node != ROOT_NODE)
        return -ENOTDIR;
    if (asked.size > MESSAGE_BYTES)
        return -EINVAL;
    for (uint64_t i = asked.offset; i < FILE_COUNT + 2; i++) {
        const char *name = i == 0 ? "." : i == 1 ? ".." : file_name(i - 2);
        size_t name_length = strlen(name);
        size_t size = FUSE_DIRENT_ALIGN(head + FUSE_NAME_OFFSET + name_length);
        uint64_t child = i < 2 ? ROOT_NODE : FIRST_FILE_NODE + i - 2;

        if (length + size > asked.size)
            break;
        memset(out + length, 0, size);
        if (plus && i >= 2)
            *(struct fuse_entry_out *)(out + length) = entry(child);
        struct fuse_dirent *dirent = (struct fuse_dirent *)(out + length + head);
        dirent->ino = child;
        dirent->off = i + 1;
        dirent->namelen = name_length;
        dirent->type = i < 2 ? DT_DIR : DT_REG;
        memcpy(dirent->name, name, name_length);
        length += size;
    }
    return length;
}

static int answer_statfs(void *out)
{
    *(struct fuse_statfs_out *)out = (struct fuse_statfs_out) {
        .st = {
            .bsize = BLOCK_BYTES,
            .frsize = BLOCK_BYTES,
            .blocks = FILE_COUNT * (FILE_BYTES / BLOCK_BYTES),
            .files = FILE_COUNT + 1,
            .namelen = 255,
        },
    };
    return sizeof(struct fuse_statfs_out);
}

int answer(const struct fuse_in_header *in, const void *args, const char *payload, void *out)
{
    switch (in->opcode) {
    case FUSE_READ:
        return answer_read(in->nodeid, args, out);
    case FUSE_WRITE:
        return answer_write(in->nodeid, args, out);
    case FUSE_LOOKUP:
        return answer_lookup(in->nodeid, payload, out);
    case FUSE_GETATTR:
    case FUSE_SETATTR:
        /* Whoever truncates before he writes can go on; nothing changes. */
        return answer_getattr(in->nodeid, out);
    case FUSE_OPEN:
        return answer_open(in->nodeid, false, out);
    case FUSE_OPENDIR:
        return answer_open(in->nodeid, true, out);
    case FUSE_READDIR:
        return answer_readdir(in->nodeid, args, false, out);
    case FUSE_READDIRPLUS:
        return answer_readdir(in->nodeid, args, true, out);
    case FUSE_STATFS:
        return answer_statfs(out);
    case FUSE_INIT:
        return answer_init(args, out);
    case FUSE_ACCESS:
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_FSYNC:
    case FUSE_FSYNCDIR:
    case FUSE_SYNCFS:
    case FUSE_FALLOCATE:
    case FUSE_DESTROY:
        return 0;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        /* Nothing is remembered, and no answer takes long enough to be given up. */
        return NO_REPLY;
    case FUSE_CREATE:
    case FUSE_MKNOD:
    case FUSE_MKDIR:
    case FUSE_SYMLINK:
    case FUSE_LINK:
    case FUSE_UNLINK:
    case FUSE_RMDIR:
    case FUSE_RENAME:
    case FUSE_RENAME2:
        return -EROFS;
    default:
        /* The kernel remembers it, and asks no more. */
        return -ENOSYS;
    }
}
