/*
 * The floor: mounts, reads messages from /dev/fuse with any number of threads, and answers each with one write. With --ring it serves FUSE
 * over io_uring besides, a ring for each CPU; then /dev/fuse carries INIT, FORGET and INTERRUPT only.
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "zero_files.h"

struct options options = { .threads = 1, .max_background = 12, .timeout_seconds = 1 };
int device = -1;

static bool mounted;
static sem_t initialized;

_Noreturn void die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    if (mounted)
        umount2(options.mount_point, MNT_DETACH);
    exit(EXIT_FAILURE);
}

void *map_buffer(size_t bytes)
{
    void *buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (buffer == MAP_FAILED)
        die("mmap");
    return buffer;
}

void pin_to(unsigned cpu)
{
    cpu_set_t set;

    if (!options.pin)
        return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    /* The ring of a CPU that is offline stays unpinned: the kernel wants it, but nothing will arrive there. */
    (void)sched_setaffinity(0, sizeof set, &set);
}

/* The file reads "0-7", or "0" on a machine of one CPU (Documentation/admin-guide/cputopology.rst). */
unsigned possible_cpus(void)
{
    FILE *file = fopen("/sys/devices/system/cpu/possible", "r");
    unsigned first, last;
    int numbers = file != NULL ? fscanf(file, "%u-%u", &first, &last) : 0;

    if (numbers < 1)
        die("/sys/devices/system/cpu/possible");
    fclose(file);
    return numbers == 2 ? last + 1 : first + 1;
}

static int open_device(void)
{
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        die("/dev/fuse");
    return fd;
}

static void mount_device(void)
{
    char data[128];

    device = open_device();
    snprintf(data, sizeof data, "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other", device);
    if (mount("floor", options.mount_point, "fuse.floor", MS_NOSUID | MS_NODEV, data) != 0)
        die("mount");
    mounted = true;
}

static int clone_device(void)
{
    int clone = open_device();
    uint32_t fd = device;

    if (ioctl(clone, FUSE_DEV_IOC_CLONE, &fd) != 0)
        die("FUSE_DEV_IOC_CLONE");
    return clone;
}

/*
 * One buffer serves both ways: the data of a WRITE, behind its header and arguments, and the data of a READ, behind its header, begin on
 * the same page, so that each way is one system call on one range of memory.
 */
static void *serve_device(void *number)
{
    unsigned index = (uintptr_t)number;
    int fd = options.clone && index > 0 ? clone_device() : device;
    char *buffer = map_buffer(BLOCK_BYTES + MESSAGE_BYTES);
    char *data = buffer + BLOCK_BYTES;
    char *message = data - sizeof(struct fuse_in_header) - sizeof(struct fuse_write_in);
    struct fuse_out_header *reply = (struct fuse_out_header *)(data - sizeof *reply);

    pin_to(index % possible_cpus());
    for (;;) {
        ssize_t size = read(fd, message, buffer + BLOCK_BYTES + MESSAGE_BYTES - message);

        if (size < 0 && errno == ENODEV)
            break;
        if (size < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
            continue;
        if (size < (ssize_t)sizeof(struct fuse_in_header))
            die("reading /dev/fuse");

        struct fuse_in_header in = *(struct fuse_in_header *)message;
        char *body = message + sizeof in;
        int length = answer(&in, body, body, data);

        if (length == NO_REPLY)
            continue;
        *reply = (struct fuse_out_header) {
            .len = sizeof *reply + (length > 0 ? length : 0),
            .error = length < 0 ? length : 0,
            .unique = in.unique,
        };
        /* ENOENT: nobody waits for the answer any more. ENODEV: unmounted meanwhile. */
        if (write(fd, reply, reply->len) < 0 && errno != ENOENT && errno != ENODEV)
            die("writing /dev/fuse");
        if (in.opcode == FUSE_INIT)
            sem_post(&initialized);
    }
    /* Unmounted: the main thread waits for a signal. */
    kill(getpid(), SIGTERM);
    return NULL;
}

static _Noreturn void usage(void)
{
    fputs("usage: floor [--threads N] [--clone] [--ring DEPTH] [--pin] [--max-background N] [--timeout SECONDS] MOUNTPOINT\n", stderr);
    exit(2);
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || value > 65535)
        usage();
    return value;
}

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "threads", required_argument, NULL, 't' },
        { "clone", no_argument, NULL, 'c' },
        { "ring", required_argument, NULL, 'r' },
        { "pin", no_argument, NULL, 'p' },
        { "max-background", required_argument, NULL, 'b' },
        { "timeout", required_argument, NULL, 's' },
        { 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 't': options.threads = number(optarg); break;
        case 'c': options.clone = true; break;
        case 'r': options.ring_depth = number(optarg); break;
        case 'p': options.pin = true; break;
        case 'b': options.max_background = number(optarg); break;
        case 's': options.timeout_seconds = number(optarg); break;
        default: usage();
        }
    }
    if (optind != argc - 1 || options.threads == 0)
        usage();
    options.mount_point = argv[optind];
}

static pthread_t start(void *(*body)(void *), unsigned number)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, body, (void *)(uintptr_t)number);
    if (errno != 0)
        die("pthread_create");
    return thread;
}

int main(int argc, char **argv)
{
    sigset_t signals;
    int signal;

    read_options(argc, argv);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    sem_init(&initialized, 0, 0);
    mount_device();

    unsigned rings = options.ring_depth > 0 ? possible_cpus() : 0;
    unsigned count = options.threads + rings;
    pthread_t *threads = calloc(count, sizeof *threads);

    if (threads == NULL)
        die("calloc");
    for (unsigned i = 0; i < options.threads; i++)
        threads[i] = start(serve_device, i);
    /* A ring is refused before INIT is over; requests wait in the kernel until all rings are there. */
    sem_wait(&initialized);
    for (unsigned i = 0; i < rings; i++)
        threads[options.threads + i] = start(serve_ring, i);
    puts("ready");
    fflush(stdout);
    sigwait(&signals, &signal);
    if (umount2(options.mount_point, 0) != 0 && errno == EBUSY) {
        /* Files are open: whoever has them gets errors when the process, and with it the connection, ends. */
        umount2(options.mount_point, MNT_DETACH);
        return EXIT_SUCCESS;
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return EXIT_SUCCESS;
}
