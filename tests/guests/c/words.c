/* Counts lines, words and bytes of each file named on the command line, and writes a report beside the
 * first one (FILE.report). All through a preopened directory: a name outside it cannot be opened. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct count { unsigned long lines, words, bytes; };

static int count_file(const char *name, struct count *out)
{
    FILE *file = fopen(name, "rb");
    if (!file)
        return -1;
    int c, inside = 0;
    while ((c = getc(file)) != EOF) {
        out->bytes++;
        out->lines += c == '\n';
        if (isspace(c)) {
            inside = 0;
        } else if (!inside) {
            inside = 1;
            out->words++;
        }
    }
    int failed = ferror(file);
    fclose(file);
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct count total = {0};
    int status = 0;
    FILE *report = NULL;
    char name[512];
    if (argc < 2) {
        fprintf(stderr, "usage: words FILE...\n");
        return 2;
    }
    snprintf(name, sizeof name, "%s.report", argv[1]);
    report = fopen(name, "w");
    if (!report)
        fprintf(stderr, "words: %s: %s\n", name, strerror(errno));
    for (int i = 1; i < argc; i++) {
        struct count one = {0};
        if (count_file(argv[i], &one) != 0) {
            printf("%s: %s\n", argv[i], strerror(errno));
            status = 1;
            continue;
        }
        printf("%6lu %6lu %6lu %s\n", one.lines, one.words, one.bytes, argv[i]);
        total.lines += one.lines;
        total.words += one.words;
        total.bytes += one.bytes;
    }
    printf("%6lu %6lu %6lu total\n", total.lines, total.words, total.bytes);
    if (report) {
        fprintf(report, "%lu %lu %lu\n", total.lines, total.words, total.bytes);
        fclose(report);
    }
    return status;
}
