/* A disk that fails on purpose, put between SQLite and the system by LD_PRELOAD.
 *
 * It counts the calls that change files in the folder DISK_FOLDER. What happens at call DISK_AT (from 1), and at
 * DISK_FOR - 1 more after it, is DISK_FAULT:
 *   kill   the process ends as by kill -9, before the call
 *   torn   a write does half of its work, then the process ends
 *   power  the machine stops: the process ends, and what was written since the last sync of each file is undone
 *   eio    the call fails with EIO, writes after half of their work
 *   full   writes fail with ENOSPC after half of their work; the rest goes on
 *   erofs  writes fail with EROFS; the rest goes on
 *   sync   syncs fail with EIO; the rest goes on
 *   lost   a sync fails with EIO, and what it was to write is gone; who else has the file open hears of it at its next sync,
 *          and nobody ever again
 * DISK_LIES=1 is a disk that answers syncs without doing them: the planted fault that `power` must find.
 * At a normal end the number of calls is written to DISK_COUNT, if that is set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { WRITE, SYNC, OTHER };
enum verdict { GO_ON, FAIL };

/* What a write replaced. */
struct undo {
    struct undo *before;
    ino_t inode;
    char path[PATH_MAX];
    off_t at, size;
    size_t length;
    char *old;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static struct undo *undos;
static long calls, at, lasts = 1;
static const char *folder, *fault = "";
static int lies;
static ino_t lost;
static char heard[65536];

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    folder = getenv("DISK_FOLDER");
    if (getenv("DISK_FAULT")) fault = getenv("DISK_FAULT");
    if (getenv("DISK_AT")) at = atol(getenv("DISK_AT"));
    if (getenv("DISK_FOR")) lasts = atol(getenv("DISK_FOR"));
    lies = getenv("DISK_LIES") != NULL;
}

__attribute__((destructor)) static void end(void) {
    const char *to = getenv("DISK_COUNT");
    FILE *file = to ? fopen(to, "w") : NULL;
    if (file) {
        fprintf(file, "%ld", calls);
        fclose(file);
    }
}

static int is(const char *name) { return strcmp(fault, name) == 0; }

/* Whether a path is in the folder. */
static int counts(const char *path) { return folder && strncmp(path, folder, strlen(folder)) == 0; }

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return length > 0 && counts(path);
}

/* Undoes what was written since the last sync, to all files or to one. A file that this process goes on with is reached by its
 * handle: closing another one would take SQLite's locks away. */
static void undo_all(ino_t of, int handle) {
    for (struct undo *one = undos; one; one = one->before) {
        struct stat now;
        if (of && one->inode != of) continue;
        int fd = of ? handle : open(one->path, O_WRONLY);
        if (fd < 0) continue;
        if (fstat(fd, &now) == 0 && now.st_ino == one->inode) {
            real_pwrite(fd, one->old, one->length, one->at);
            real_ftruncate(fd, one->size);
        }
        if (!of) close(fd);
        else one->inode = 0;
    }
}

static void die(void) {
    if (is("power")) undo_all(0, -1);
    raise(SIGKILL);
    for (;;) pause();
}

/* What becomes of a call; half of a write is done by `half`. */
static enum verdict judge(enum kind kind, int fd, const void *data, size_t length, off_t offset) {
    calls++;
    if (at == 0 || calls < at || calls >= at + lasts) return GO_ON;
    if (is("torn") && kind == WRITE) real_pwrite(fd, data, length / 2, offset);
    if (is("kill") || is("torn") || is("power")) die();
    if ((is("eio") || is("full")) && kind == WRITE) real_pwrite(fd, data, length / 2, offset);
    if (is("eio")) { errno = EIO; return FAIL; }
    if (is("full") && kind == WRITE) { errno = ENOSPC; return FAIL; }
    if (is("erofs") && kind == WRITE) { errno = EROFS; return FAIL; }
    if ((is("sync") || is("lost")) && kind == SYNC) { errno = EIO; return FAIL; }
    return GO_ON;
}

static void remember(int fd, const char *path, off_t offset, size_t length) {
    struct stat now;
    if ((!is("power") && !is("lost")) || fstat(fd, &now) != 0) return;
    struct undo *one = calloc(1, sizeof *one);
    one->before = undos;
    one->inode = now.st_ino;
    strcpy(one->path, path);
    one->at = offset;
    one->size = now.st_size;
    one->old = malloc(length + 1);
    ssize_t read = pread(fd, one->old, length, offset);
    one->length = read > 0 ? (size_t)read : 0;
    undos = one;
}

static void forget(int fd) {
    struct stat now;
    if (lies || fstat(fd, &now) != 0) return;
    for (struct undo *one = undos; one; one = one->before)
        if (one->inode == now.st_ino) one->inode = 0;
}

static ssize_t write_at(int fd, const void *data, size_t length, off_t offset, int seek) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return seek ? real_write(fd, data, length) : real_pwrite(fd, data, length, offset);
    pthread_mutex_lock(&turn);
    ssize_t done = -1;
    if (judge(WRITE, fd, data, length, offset) == GO_ON) {
        remember(fd, path, offset, length);
        done = seek ? real_write(fd, data, length) : real_pwrite(fd, data, length, offset);
    }
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    int kept = errno;
    off_t offset = lseek(fd, 0, SEEK_CUR);
    if (offset < 0) { errno = kept; return real_write(fd, data, length); }
    return write_at(fd, data, length, offset, 1);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
    return write_at(fd, data, length, offset, 0);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return write_at(fd, data, length, offset, 0);
}

static int sync_by(int (*sync)(int), int fd) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return sync(fd);
    pthread_mutex_lock(&turn);
    int done = -1;
    struct stat now;
    if (lost && fstat(fd, &now) == 0 && now.st_ino == lost && !heard[fd]) {
        heard[fd] = 1;
        errno = EIO;
    } else if (judge(SYNC, fd, NULL, 0, 0) == GO_ON) {
        done = lies ? 0 : sync(fd);
        if (done == 0) forget(fd);
    } else if (is("lost") && fstat(fd, &now) == 0) {
        lost = now.st_ino;
        heard[fd] = 1;
        undo_all(lost, fd);
        errno = EIO;
    }
    pthread_mutex_unlock(&turn);
    return done;
}

int fsync(int fd) { return sync_by(real_fsync, fd); }
int fdatasync(int fd) { return sync_by(real_fdatasync, fd); }

int ftruncate64(int fd, off_t size) {
    char path[PATH_MAX];
    struct stat now;
    if (!path_of(fd, path)) return real_ftruncate(fd, size);
    pthread_mutex_lock(&turn);
    int done = -1;
    if (judge(OTHER, fd, NULL, 0, 0) == GO_ON) {
        if (fstat(fd, &now) == 0 && now.st_size > size) remember(fd, path, size, (size_t)(now.st_size - size));
        done = real_ftruncate(fd, size);
    }
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
    if (!counts(path)) return real_unlink(path);
    pthread_mutex_lock(&turn);
    int done = -1;
    if (judge(OTHER, -1, NULL, 0, 0) == GO_ON) done = real_unlink(path);
    pthread_mutex_unlock(&turn);
    return done;
}
