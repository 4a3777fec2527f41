/*
 * Preloaded into a server, makes the disk under FAULTY_DISK_FOLDER as bad as the file FAULTY_DISK_CONTROL says at that
 * moment: two native ints, the errno with which every write fails (0: none does) and the microseconds that every wait for the
 * disk takes. test/support/faulty-disk.ts compiles it and holds the other end.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static volatile int *control;
static const char *folder;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("FAULTY_DISK_CONTROL");
  folder = getenv("FAULTY_DISK_FOLDER");
  int file = path && folder ? open(path, O_RDONLY) : -1;
  if (file < 0) return;
  void *map = mmap(NULL, 2 * sizeof(int), PROT_READ, MAP_SHARED, file, 0);
  if (map != MAP_FAILED) control = map;
  close(file);
}

static int is_ours(const char *path) {
  return control && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_our_file(int file) {
  char link[64], path[4096];
  if (!control) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

static int fails(int is_concerned) {
  if (!is_concerned || control[0] == 0) return 0;
  errno = control[0];
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t count) {
  return fails(is_our_file(file)) ? -1 : REAL(write)(file, bytes, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  return fails(is_our_file(file)) ? -1 : REAL(pwrite)(file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  return fails(is_our_file(file)) ? -1 : REAL(pwrite64)(file, bytes, count, at);
}

static int sync_with(int (*real)(int), int file) {
  int is_concerned = is_our_file(file);
  if (is_concerned) usleep(control[1]);
  return fails(is_concerned) ? -1 : real(file);
}

int fsync(int file) { return sync_with(REAL(fsync), file); }
int fdatasync(int file) { return sync_with(REAL(fdatasync), file); }

static int fails_to_open(const char *path, int flags) {
  return fails((flags & (O_WRONLY | O_RDWR | O_CREAT)) && is_ours(path));
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return fails_to_open(path, flags) ? -1 : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return fails_to_open(path, flags) ? -1 : REAL(open64)(path, flags, mode);
}
