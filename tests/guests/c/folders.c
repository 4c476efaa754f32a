/* Makes, lists, renames and removes files and folders below the folder named by its argument, which it expects
 * empty and leaves empty. Every step's outcome is printed, failures by the name that errno has. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *root;

static const char *path(const char *name)
{
    static char buffers[4][512];
    static int next;
    char *buffer = buffers[next++ % 4];
    snprintf(buffer, 512, "%s/%s", root, name);
    return buffer;
}

static const char *outcome(int result)
{
    if (result >= 0)
        return "done";
    switch (errno) {
    case ENOENT: return "ENOENT";
    case EEXIST: return "EEXIST";
    case ENOTEMPTY: return "ENOTEMPTY";
    case ENOTDIR: return "ENOTDIR";
    case EISDIR: return "EISDIR";
    case EACCES: case EPERM: return "not permitted";
    default: return strerror(errno);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *name)
{
    DIR *dir = opendir(path(name));
    if (!dir) {
        printf("list %s: %s\n", name, outcome(-1));
        return;
    }
    char *names[64];
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) && count < 64;) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            names[count++] = strdup(entry->d_name);
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_text);
    printf("list %s:", name);
    for (size_t i = 0; i < count; i++) {
        printf(" %s", names[i]);
        free(names[i]);
    }
    printf(" (%zu)\n", count);
}

static int write_file(const char *name, const char *text)
{
    FILE *file = fopen(path(name), "wb");
    if (!file)
        return -1;
    fputs(text, file);
    return fclose(file);
}

static void describe(const char *name)
{
    struct stat s;
    if (stat(path(name), &s) != 0) {
        printf("stat %s: %s\n", name, outcome(-1));
        return;
    }
    if (S_ISDIR(s.st_mode))
        printf("stat %s: folder\n", name);
    else
        printf("stat %s: file of %lld bytes\n", name, (long long)s.st_size);
}

int main(int argc, char **argv)
{
    root = argc > 1 ? argv[1] : ".";
    printf("mkdir: %s\n", outcome(mkdir(path("box"), 0755)));
    printf("mkdir again: %s\n", outcome(mkdir(path("box"), 0755)));
    for (int i = 0; i < 20; i++) {
        char name[64], text[64];
        snprintf(name, sizeof name, "box/file-%02d", i);
        snprintf(text, sizeof text, "this is file %d\n", i);
        if (write_file(name, text) != 0)
            printf("write %s: %s\n", name, outcome(-1));
    }
    list("box");
    describe("box");
    describe("box/file-07");
    describe("box/none");
    describe("box/file-07/below");
    printf("rename: %s\n", outcome(rename(path("box/file-07"), path("box/renamed"))));
    printf("rename over: %s\n", outcome(rename(path("box/file-08"), path("box/renamed"))));
    printf("rename missing: %s\n", outcome(rename(path("box/file-07"), path("box/other"))));
    describe("box/renamed");
    printf("rmdir full: %s\n", outcome(rmdir(path("box"))));
    printf("unlink missing: %s\n", outcome(unlink(path("box/none"))));
    printf("rmdir a file: %s\n", outcome(rmdir(path("box/renamed"))));
    int fd = open(path("box/renamed"), O_RDWR | O_APPEND);
    printf("append: %s\n", outcome(fd < 0 ? -1 : (int)write(fd, "more\n", 5)));
    printf("seek: %lld\n", (long long)lseek(fd, 0, SEEK_END));
    printf("truncate: %s\n", outcome(ftruncate(fd, 4)));
    close(fd);
    describe("box/renamed");
    printf("outside: %s\n", open(path("../../../../etc/passwd"), O_RDONLY) < 0 ? "refused" : "OPENED");
    printf("unlink: %s\n", outcome(unlink(path("box/renamed"))));
    for (int i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "box/file-%02d", i);
        if (i != 7 && i != 8 && unlink(path(name)) != 0)
            printf("unlink %s: %s\n", name, outcome(-1));
    }
    list("box");
    printf("rmdir: %s\n", outcome(rmdir(path("box"))));
    describe("box");
    return 0;
}
