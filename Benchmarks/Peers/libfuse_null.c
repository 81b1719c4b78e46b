/*
 * A null file system on libfuse's low-level interface. Threads and descriptors as libfuse's own command line has them: -s for one thread,
 * -o max_threads=N, -o clone_fd; without options it is what libfuse does by itself. With --like-harness it asks the kernel for exactly what
 * the harness asks for with backend null. Always stays in the foreground.
 */
#define FUSE_USE_VERSION 314

#include <errno.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "zero_files.h"

static struct {
    int like_harness;
    unsigned max_background; /* 0 for the kernel's own */
    unsigned timeout_seconds;
} options = { .timeout_seconds = 1 };

static const struct fuse_opt known_options[] = {
    { "--like-harness", offsetof(__typeof__(options), like_harness), 1 },
    { "--max-background=%u", offsetof(__typeof__(options), max_background), 0 },
    { "--timeout=%u", offsetof(__typeof__(options), timeout_seconds), 0 },
    FUSE_OPT_END,
};

static time_t mounted;

static void serve_init(void *userdata, struct fuse_conn_info *connection)
{
    (void)userdata;
    if (options.like_harness) {
        /* BIG_WRITES, MAX_PAGES and INIT_EXT need no asking; of PARALLEL_DIROPS libfuse 3.14 says nothing to the kernel, asked or not. */
        connection->want = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
            FUSE_CAP_ASYNC_DIO;
        connection->max_write = MESSAGE_BYTES;
    }
    if (options.max_background > 0) {
        connection->max_background = options.max_background;
        connection->congestion_threshold = options.max_background * 3 / 4;
    }
}

static struct stat attributes(fuse_ino_t node)
{
    bool file = is_file(node);

    return (struct stat) {
        .st_ino = node,
        .st_mode = file ? S_IFREG | 0666 : S_IFDIR | 0755,
        .st_nlink = file ? 1 : 2,
        .st_size = file ? FILE_BYTES : BLOCK_BYTES,
        .st_blocks = file ? FILE_BYTES / 512 : 0,
        .st_blksize = BLOCK_BYTES,
        .st_atime = mounted,
        .st_mtime = mounted,
        .st_ctime = mounted,
    };
}

static struct fuse_entry_param entry(fuse_ino_t node)
{
    return (struct fuse_entry_param) {
        .ino = node,
        .attr = attributes(node),
        .attr_timeout = options.timeout_seconds,
        .entry_timeout = options.timeout_seconds,
    };
}

static void serve_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    fuse_ino_t node = parent == ROOT_NODE ? find_file(name) : 0;

    if (node == 0) {
        fuse_reply_err(request, parent == ROOT_NODE ? ENOENT : ENOTDIR);
    } else {
        struct fuse_entry_param found = entry(node);
        fuse_reply_entry(request, &found);
    }
}

static void serve_getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file)
{
    struct stat attr = attributes(node);

    (void)file;
    fuse_reply_attr(request, &attr, options.timeout_seconds);
}

/* Whoever truncates before he writes can go on; nothing changes. */
static void serve_setattr(fuse_req_t request, fuse_ino_t node, struct stat *attr, int to_set, struct fuse_file_info *file)
{
    (void)attr;
    (void)to_set;
    serve_getattr(request, node, file);
}

static void serve_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file)
{
    /* libfuse 3.14 has no name for this flag, so the reply is built by hand. */
    struct fuse_open_out out = { .open_flags = FOPEN_PARALLEL_DIRECT_WRITES };

    if (!is_file(node))
        fuse_reply_err(request, EISDIR);
    else if (options.like_harness)
        fuse_reply_buf(request, (const char *)&out, sizeof out);
    else
        fuse_reply_open(request, file);
}

static void serve_opendir(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file)
{
    if (node != ROOT_NODE)
        fuse_reply_err(request, ENOTDIR);
    else
        fuse_reply_open(request, file);
}

/* A buffer for each thread, which libfuse keeps as long as it runs. Page-aligned, as a file system would have it. */
static char *reply_buffer(void)
{
    static _Thread_local char *buffer;

    if (buffer == NULL)
        buffer = aligned_alloc(BLOCK_BYTES, MESSAGE_BYTES);
    return buffer;
}

/* Fills the reply, really: that is what a file system does. */
static void serve_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file)
{
    size_t length = clip(offset, size);
    char *buffer = reply_buffer();

    (void)file;
    if (!is_file(node) || buffer == NULL || length > MESSAGE_BYTES) {
        fuse_reply_err(request, !is_file(node) ? EISDIR : buffer == NULL ? ENOMEM : EINVAL);
        return;
    }
    memset(buffer, 0, length);
    fuse_reply_buf(request, buffer, length);
}

static void serve_write(fuse_req_t request, fuse_ino_t node, const char *data, size_t size, off_t offset, struct fuse_file_info *file)
{
    size_t length = clip(offset, size);

    (void)data;
    (void)file;
    if (!is_file(node))
        fuse_reply_err(request, EISDIR);
    else if (length == 0 && size > 0)
        fuse_reply_err(request, EFBIG);
    else
        fuse_reply_write(request, length);
}

/* The offset counts the names returned so far: ".", "..", and the files in order. */
static void list(fuse_req_t request, size_t size, off_t offset, bool plus)
{
    char *buffer = reply_buffer();
    size_t length = 0;

    if (buffer == NULL || size > MESSAGE_BYTES) {
        fuse_reply_err(request, buffer == NULL ? ENOMEM : EINVAL);
        return;
    }
    for (off_t i = offset; i < FILE_COUNT + 2; i++) {
        const char *name = i == 0 ? "." : i == 1 ? ".." : file_name(i - 2);
        struct fuse_entry_param child = entry(i < 2 ? ROOT_NODE : FIRST_FILE_NODE + i - 2);
        size_t left = size - length;

        if (i < 2)
            child.ino = 0;
        size_t used = plus ? fuse_add_direntry_plus(request, buffer + length, left, name, &child, i + 1)
                   : fuse_add_direntry(request, buffer + length, left, name, &child.attr, i + 1);
        if (used > left)
            break;
        length += used;
    }
    fuse_reply_buf(request, buffer, length);
}

static void serve_readdir(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file)
{
    (void)node;
    (void)file;
    list(request, size, offset, false);
}

static void serve_readdirplus(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file)
{
    (void)node;
    (void)file;
    list(request, size, offset, true);
}

static void serve_statfs(fuse_req_t request, fuse_ino_t node)
{
    struct statvfs stat = {
        .f_bsize = BLOCK_BYTES,
        .f_frsize = BLOCK_BYTES,
        .f_blocks = FILE_COUNT * (FILE_BYTES / BLOCK_BYTES),
        .f_files = FILE_COUNT + 1,
        .f_namemax = 255,
    };

    (void)node;
    fuse_reply_statfs(request, &stat);
}

static void serve_flush(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file)
{
    (void)node;
    (void)file;
    fuse_reply_err(request, 0);
}

static void serve_fsync(fuse_req_t request, fuse_ino_t node, int datasync, struct fuse_file_info *file)
{
    (void)datasync;
    serve_flush(request, node, file);
}

static const struct fuse_lowlevel_ops operations = {
    .init = serve_init,
    .lookup = serve_lookup,
    .getattr = serve_getattr,
    .setattr = serve_setattr,
    .open = serve_open,
    .read = serve_read,
    .write = serve_write,
    .flush = serve_flush,
    .fsync = serve_fsync,
    .opendir = serve_opendir,
    .readdir = serve_readdir,
    .readdirplus = serve_readdirplus,
    .statfs = serve_statfs,
};

static int run(struct fuse_session *session, const struct fuse_cmdline_opts *command_line)
{
    struct fuse_loop_config *config;
    int result;

    if (command_line->singlethread)
        return fuse_session_loop(session);
    config = fuse_loop_cfg_create();
    if (config == NULL)
        return -ENOMEM;
    fuse_loop_cfg_set_clone_fd(config, command_line->clone_fd);
    /* Unless given, it is the largest unsigned number, of which libfuse 3.14 complains and which it has by default. */
    if (command_line->max_idle_threads != UINT_MAX)
        fuse_loop_cfg_set_idle_threads(config, command_line->max_idle_threads);
    fuse_loop_cfg_set_max_threads(config, command_line->max_threads);
    result = fuse_session_loop_mt(session, config);
    fuse_loop_cfg_destroy(config);
    return result;
}

int main(int argc, char **argv)
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct fuse_cmdline_opts command_line;
    struct fuse_session *session;
    int status = EXIT_FAILURE;

    if (fuse_parse_cmdline(&args, &command_line) != 0 || fuse_opt_parse(&args, &options, known_options, NULL) != 0 ||
        command_line.mountpoint == NULL) {
        fputs("usage: libfuse_null [-s] [-o OPTION,...] [--like-harness] [--max-background=N] [--timeout=SECONDS] MOUNTPOINT\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    mounted = time(NULL);
    session = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (session == NULL)
        return EXIT_FAILURE;
    if (fuse_set_signal_handlers(session) == 0) {
        if (fuse_session_mount(session, command_line.mountpoint) == 0) {
            puts("ready");
            fflush(stdout);
            /* A signal ends the loop too, and is no failure. */
            status = run(session, &command_line) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
            fuse_session_unmount(session);
        }
        fuse_remove_signal_handlers(session);
    }
    fuse_session_destroy(session);
    free(command_line.mountpoint);
    fuse_opt_free_args(&args);
    return status;
}
