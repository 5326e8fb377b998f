/* Stands between the daemon and its files (LD_PRELOAD): at the call number FAILPOINT_KILL that changes a file below
 * FAILPOINT_HOME the process is killed before it is made; while the file FAILPOINT_FILE exists, each such call fails with
 * FAILPOINT_ERRNO. Logs and sockets are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static int below(const char *path) {
    const char *home = getenv("FAILPOINT_HOME");
    return home && strncmp(path, home, strlen(home)) == 0 && !strstr(path, "/log/") && !strstr(path, "/run/");
}

static int ours(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0) return 0;
    path[len] = 0;
    return below(path);
}

static int fails(void) {
    const char *at = getenv("FAILPOINT_KILL"), *file = getenv("FAILPOINT_FILE"), *error = getenv("FAILPOINT_ERRNO");
    if (at && atomic_fetch_add(&calls, 1) + 1 == atol(at)) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    if (file && error && access(file, F_OK) == 0) {
        errno = atoi(error);
        return 1;
    }
    return 0;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    int before = errno; \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, name); \
    errno = before

ssize_t write(int fd, const void *from, size_t n) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return ours(fd) && fails() ? -1 : real(fd, from, n);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return ours(fd) && fails() ? -1 : real(fd, from, n, at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return ours(fd) && fails() ? -1 : real(fd, from, n, at);
}

int ftruncate(int fd, off_t n) {
    REAL(int, "ftruncate", int, off_t);
    return ours(fd) && fails() ? -1 : real(fd, n);
}

int ftruncate64(int fd, off64_t n) {
    REAL(int, "ftruncate64", int, off64_t);
    return ours(fd) && fails() ? -1 : real(fd, n);
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return ours(fd) && fails() ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return ours(fd) && fails() ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    return below(to) && fails() ? -1 : real(from, to);
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    return below(path) && fails() ? -1 : real(path);
}
