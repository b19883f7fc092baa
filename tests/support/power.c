/* What a disk would still hold after a power cut: loaded before a server's own libraries, this keeps a copy of each file below one folder as it was
 * when it was last synced, and the names as they were when their folder was. POWER_LIVE names the folder; POWER_KEPT has `inodes`, the copies, and
 * `names`, links to them; a path is one name there, its slashes written %. Who holds a lock on POWER_KEPT/lock stops all copying. While there is POWER_KEPT/broken-sync, broken-write or broken-read,
 * these calls fail as on a bad disk. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef char Path[PATH_MAX];

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* A copy that is not there would be blamed on the database. */
static void require(int is_good, const char *what) {
    if (is_good) return;
    perror(what);
    abort();
}

static void in_kept(Path to, const char *folder, const char *name) {
    require(snprintf(to, sizeof(Path), "%s/%s/%s", getenv("POWER_KEPT"), folder, name) < (int)sizeof(Path), "a path is too long");
}

static void copy_of(Path to, ino_t inode) {
    char number[32];
    snprintf(number, sizeof number, "%lu", (unsigned long)inode);
    in_kept(to, "inodes", number);
}

static char *flat(char *path) {
    for (char *slash = path; (slash = strchr(slash, '/'));) *slash = '%';
    return path;
}

static void name(const char *base, ino_t inode) {
    Path at, target, flattened;
    in_kept(at, "names", flat(strcpy(flattened, base)));
    copy_of(target, inode);
    unlink(at);
    require(!symlink(target, at), "symlink");
}

/* Through what is open: its name may be another by now, or none. */
static void copy(int file, ino_t inode) {
    static char block[1 << 20];
    Path from, to;
    snprintf(from, sizeof from, "/proc/self/fd/%d", file);
    copy_of(to, inode);
    int source = open(from, O_RDONLY), kept = open(to, O_WRONLY | O_CREAT, 0666);
    require(source >= 0 && kept >= 0, "open");
    off_t at = 0;
    for (ssize_t size; (size = pread(source, block, sizeof block, at)); at += size) {
        require(size > 0 && pwrite(kept, block, size, at) == size, "copy");
    }
    require(!ftruncate(kept, at), "ftruncate");
    close(source);
    close(kept);
}

/* Take away the names that a folder does not have any more; `below` is its place in the whole, with a slash behind it unless it is the whole. */
static void drop_names(const char *folder, const char *below) {
    Path names, at, target, start;
    in_kept(names, "names", "");
    size_t prefix = strlen(flat(strcpy(start, below)));
    DIR *kept = opendir(names);
    require(kept != NULL, names);
    for (struct dirent *each; (each = readdir(kept));) {
        const char *base = each->d_name + prefix;
        if (each->d_name[0] == '.' || strncmp(each->d_name, start, prefix) || strchr(base, '%')) continue;
        in_kept(at, "names", each->d_name);
        require(snprintf(target, sizeof target, "%s/%s", folder, base) < (int)sizeof target, "a path is too long");
        if (!access(target, F_OK)) continue;
        unlink(at);
    }
    closedir(kept);
}

static void keep_names(const char *path, const char *below) {
    Path whole;
    drop_names(path, below);
    DIR *folder = opendir(path);
    if (!folder) return; /* it is gone already */
    for (struct dirent *each; (each = readdir(folder));) {
        if (each->d_type != DT_REG) continue;
        require(snprintf(whole, sizeof whole, "%s%s", below, each->d_name) < (int)sizeof whole, "a path is too long");
        name(whole, each->d_ino);
    }
    closedir(folder);
}

/* Where below the folder an open file lies: its path behind the slash, nothing for the folder itself, NULL for all others. */
static const char *place(int file, Path path) {
    const char *live = getenv("POWER_LIVE");
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = live ? readlink(link, path, sizeof(Path) - 1) : -1;
    if (length < 0) return NULL;
    path[length] = 0;
    size_t prefix = strlen(live);
    if (strncmp(path, live, prefix)) return NULL;
    if (!path[prefix]) return path + prefix;
    return path[prefix] == '/' ? path + prefix + 1 : NULL;
}

static int is_broken(int file, const char *what) {
    Path path, mark;
    if (!place(file, path)) return 0;
    in_kept(mark, ".", what);
    if (access(mark, F_OK)) return 0;
    errno = EIO;
    return 1;
}

static int keep(int file) {
    Path path, lock;
    struct stat about;
    const char *base = place(file, path);
    if (!base || fstat(file, &about) || !about.st_nlink) return 0;
    if (is_broken(file, "broken-sync")) return -1;
    pthread_mutex_lock(&one_at_a_time);
    in_kept(lock, ".", "lock");
    int held = open(lock, O_RDWR | O_CREAT, 0666);
    require(held >= 0 && !flock(held, LOCK_EX), lock);
    if (S_ISDIR(about.st_mode)) {
        Path below = "";
        if (*base) require(snprintf(below, sizeof below, "%s/", base) < (int)sizeof below, "a path is too long");
        keep_names(path, below);
    } else {
        copy(file, about.st_ino);
        name(base, about.st_ino); /* a file that is synced is found again: its own entry is written with it */
    }
    close(held);
    pthread_mutex_unlock(&one_at_a_time);
    return 0;
}

/* The real calls are left out: the copies stand for the disk. */
int fsync(int file) {
    return keep(file);
}

int fdatasync(int file) {
    return keep(file);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return is_broken(file, "broken-write") ? -1 : real(file, data, size, at);
}

ssize_t pread64(int file, void *data, size_t size, off64_t at) {
    static ssize_t (*real)(int, void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pread64");
    return is_broken(file, "broken-read") ? -1 : real(file, data, size, at);
}
