/* Makes the N-th call that changes a file fail or kills the process there. Loaded with LD_PRELOAD by tests/it/faults.rs.
 *
 * SCX_FAULT_AT   number of the call, from 1
 * SCX_FAULT_HOW  enospc, eio or kill
 * SCX_FAULT_LOG  a file that gets one byte when the fault has happened
 *
 * Only calls on plain files count: messages on stderr and pipes between threads are let through. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static int plain(int fd) {
    struct stat s;
    return fd > 2 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

/* Whether this call is the one; sets errno when it is. */
static int strikes(void) {
    const char *at = getenv("SCX_FAULT_AT"), *how = getenv("SCX_FAULT_HOW"), *log = getenv("SCX_FAULT_LOG");
    if (!at || !how || atomic_fetch_add(&calls, 1) + 1 != atol(at)) return 0;
    if (log) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT, 0644);
        syscall(SYS_write, fd, "x", 1);
        syscall(SYS_close, fd);
    }
    if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
    errno = strcmp(how, "eio") ? ENOSPC : EIO;
    return 1;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *b, size_t n) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return plain(fd) && strikes() ? -1 : real(fd, b, n);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return plain(fd) && strikes() ? -1 : real(fd, b, n, o);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return plain(fd) && strikes() ? -1 : real(fd, b, n, o);
}
ssize_t writev(int fd, const struct iovec *v, int n) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return plain(fd) && strikes() ? -1 : real(fd, v, n);
}
ssize_t copy_file_range(int a, off64_t *ao, int b, off64_t *bo, size_t n, unsigned f) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    return plain(b) && strikes() ? -1 : real(a, ao, b, bo, n, f);
}
int ftruncate(int fd, off_t n) {
    REAL(int, "ftruncate", int, off_t);
    return plain(fd) && strikes() ? -1 : real(fd, n);
}
int ftruncate64(int fd, off64_t n) {
    REAL(int, "ftruncate64", int, off64_t);
    return plain(fd) && strikes() ? -1 : real(fd, n);
}
int fsync(int fd) {
    REAL(int, "fsync", int);
    return plain(fd) && strikes() ? -1 : real(fd);
}
int rename(const char *a, const char *b) {
    REAL(int, "rename", const char *, const char *);
    return strikes() ? -1 : real(a, b);
}
int link(const char *a, const char *b) {
    REAL(int, "link", const char *, const char *);
    return strikes() ? -1 : real(a, b);
}
