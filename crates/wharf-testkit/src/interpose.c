/* Faults of a disk for a real process: preloaded before libc, it lets chosen calls on files below one folder fail, fall
 * short, or kill the process. A control file, mapped here and written by the test, arms it while the process runs.
 * See interpose.rs for the layout and the meaning of the fields. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITES = 1, SYNCS = 2, CREATES = 4, RENAMES = 8, TRUNCATES = 16 };

struct control {
  _Atomic uint32_t armed;     /* which kinds of call are counted */
  _Atomic int32_t error;      /* errno to fail with; 0 counts only; -9 kills the process */
  _Atomic int64_t countdown;  /* the call that brings it to 0 is the first to fail */
  _Atomic int64_t failures;   /* how many fail then */
  _Atomic uint64_t seen;      /* calls counted so far */
};

static struct control *control;
static const char *folder;
static size_t folder_length;
static _Thread_local int is_first; /* whether the call that just failed was the first to */

__attribute__((constructor)) static void set_up(void) {
  const char *path = getenv("WHARF_FAULT_CONTROL");
  folder = getenv("WHARF_FAULT_FOLDER");
  if (!path || !folder) return;
  folder_length = strlen(folder);
  int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  int fd = real_open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (map != MAP_FAILED) control = map;
}

/* Whether this call, on a path, is the one to fail. */
static int fails_path(uint32_t kind, const char *path) {
  if (strncmp(path, folder, folder_length) != 0) return 0;
  atomic_fetch_add(&control->seen, 1);
  int error = atomic_load(&control->error);
  if (error == 0) return 0;
  int64_t left = atomic_fetch_sub(&control->countdown, 1);
  if (left > 1) return 0;
  if (atomic_fetch_sub(&control->failures, 1) < 1) return 0;
  if (error == -9) raise(SIGKILL);
  is_first = left == 1;
  errno = error;
  return 1;
}

static int is_armed(uint32_t kind) { return control && (atomic_load(&control->armed) & kind); }

static int fails(uint32_t kind, int fd) {
  if (!is_armed(kind)) return 0;
  int before = errno;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length <= 0) return 0;
  path[length] = 0;
  return fails_path(kind, path);
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* A full disk takes what still fits: half of the first refused write arrives. */
#define SHORT_WRITE(call) \
  do { \
    if (errno == ENOSPC && count > 1 && is_first) { \
      size_t half = count / 2; \
      ssize_t done = call; \
      if (done > 0) return done; \
      errno = ENOSPC; \
    } \
    return -1; \
  } while (0)

ssize_t write(int fd, const void *data, size_t count) {
  REAL(write);
  if (fails(WRITES, fd)) SHORT_WRITE(real(fd, data, half));
  return real(fd, data, count);
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t offset) {
  REAL(pwrite);
  if (fails(WRITES, fd)) SHORT_WRITE(real(fd, data, half, offset));
  return real(fd, data, count, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset) {
  REAL(pwrite64);
  if (fails(WRITES, fd)) SHORT_WRITE(real(fd, data, half, offset));
  return real(fd, data, count, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int part_count) {
  REAL(writev);
  return fails(WRITES, fd) ? -1 : real(fd, parts, part_count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int part_count, off_t offset) {
  REAL(pwritev);
  return fails(WRITES, fd) ? -1 : real(fd, parts, part_count, offset);
}

int fsync(int fd) {
  REAL(fsync);
  return fails(SYNCS, fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return fails(SYNCS, fd) ? -1 : real(fd);
}

int syncfs(int fd) {
  REAL(syncfs);
  return fails(SYNCS, fd) ? -1 : real(fd);
}

int ftruncate(int fd, off_t length) {
  REAL(ftruncate);
  return fails(TRUNCATES, fd) ? -1 : real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  return fails(TRUNCATES, fd) ? -1 : real(fd, length);
}

int rename(const char *from, const char *to) {
  REAL(rename);
  if (is_armed(RENAMES) && fails_path(RENAMES, to)) return -1;
  return real(from, to);
}

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
      va_list rest; \
      va_start(rest, flags); \
      mode = va_arg(rest, mode_t); \
      va_end(rest); \
      if (is_armed(CREATES) && access(path, F_OK) != 0) { \
        errno = 0; \
        if (fails_path(CREATES, path)) return -1; \
      } \
    } \
    return real(path, flags, mode); \
  }

OPEN(open)
OPEN(open64)
