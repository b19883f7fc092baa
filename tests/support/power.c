/* What a disk would still hold after a power cut: loaded before a server's own libraries, this keeps a copy of each file of one folder as it was
 * when it was last synced, and the names as they were when the folder was. POWER_LIVE names the folder; POWER_KEPT has `inodes`, the copies, and
 * `names`, links to them. Who holds a lock on POWER_KEPT/lock stops all copying. */

#define _GNU_SOURCE
#include <dirent.h>
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

static void name(const char *base, ino_t inode) {
    Path at, target;
    in_kept(at, "names", base);
    copy_of(target, inode);
    unlink(at);
    require(!symlink(target, at), "symlink");
}

static void copy(const char *from, ino_t inode) {
    static char block[1 << 20];
    Path to;
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

/* Take away the names that the folder does not have any more. */
static void drop_names(const char *live) {
    Path names, at, target;
    in_kept(names, "names", "");
    DIR *kept = opendir(names);
    require(kept != NULL, names);
    for (struct dirent *each; (each = readdir(kept));) {
        if (each->d_name[0] == '.') continue;
        in_kept(at, "names", each->d_name);
        require(snprintf(target, sizeof target, "%s/%s", live, each->d_name) < (int)sizeof target, "a path is too long");
        if (!access(target, F_OK)) continue;
        unlink(at);
    }
    closedir(kept);
}

static void keep_names(const char *live) {
    drop_names(live);
    DIR *folder = opendir(live);
    require(folder != NULL, live);
    for (struct dirent *each; (each = readdir(folder));) {
        if (each->d_type == DT_REG) name(each->d_name, each->d_ino);
    }
    closedir(folder);
}

static void keep(int file) {
    const char *live = getenv("POWER_LIVE");
    char link[64];
    Path path, lock;
    struct stat about;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = live ? readlink(link, path, sizeof path - 1) : -1;
    if (length < 0 || fstat(file, &about)) return;
    path[length] = 0;
    size_t prefix = strlen(live);
    int is_folder = S_ISDIR(about.st_mode) && !strcmp(path, live);
    int is_file = S_ISREG(about.st_mode) && !strncmp(path, live, prefix) && path[prefix] == '/' && !strchr(path + prefix + 1, '/');
    if (!is_folder && !is_file) return;

    pthread_mutex_lock(&one_at_a_time);
    in_kept(lock, ".", "lock");
    int held = open(lock, O_RDWR | O_CREAT, 0666);
    require(held >= 0 && !flock(held, LOCK_EX), lock);
    if (is_folder) {
        keep_names(live);
    } else {
        copy(path, about.st_ino);
        name(path + prefix + 1, about.st_ino); /* a file that is synced is found again: its own entry is written with it */
    }
    close(held);
    pthread_mutex_unlock(&one_at_a_time);
}

/* The real calls are left out: the copies stand for the disk. */
int fsync(int file) {
    keep(file);
    return 0;
}

int fdatasync(int file) {
    keep(file);
    return 0;
}
