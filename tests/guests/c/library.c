/* Exercises the C library's parts that lean on the host: qsort, malloc/realloc/free, printf of floating point,
 * time and clock, random numbers. It prints what is the same on every run, and fails where something is off. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sorting(void)
{
    enum { N = 2000 };
    double *values = malloc(N * sizeof *values);
    uint32_t state = 12345;
    for (int i = 0; i < N; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (double)(int32_t)state / 65536.0;
    }
    qsort(values, N, sizeof *values, ascending);
    int ordered = 1;
    for (int i = 1; i < N; i++)
        ordered &= values[i - 1] <= values[i];
    printf("qsort: %s, first %.4f, middle %.4f, last %.4f\n", ordered ? "ordered" : "NOT ORDERED", values[0],
           values[N / 2], values[N - 1]);
    free(values);
    char *names[] = {"pear", "apple", "fig", "quince", "cherry"};
    qsort(names, 5, sizeof *names, by_text);
    printf("names:");
    for (int i = 0; i < 5; i++)
        printf(" %s", names[i]);
    printf("\n");
}

static void heap(void)
{
    enum { N = 500 };
    unsigned char *blocks[N];
    size_t sizes[N];
    unsigned long wrong = 0;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < N; i++) {
            sizes[i] = (size_t)(i * 37 + round * 101) % 3000 + 1;
            blocks[i] = malloc(sizes[i]);
            memset(blocks[i], i, sizes[i]);
        }
        for (int i = 0; i < N; i += 2) {
            blocks[i] = realloc(blocks[i], sizes[i] * 2);
            memset(blocks[i] + sizes[i], i, sizes[i]);
            sizes[i] *= 2;
        }
        for (int i = 0; i < N; i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                wrong += blocks[i][k] != (unsigned char)i;
            free(blocks[i]);
        }
    }
    char *large = calloc(1, 20u << 20);
    wrong += !large || large[(20u << 20) - 1] != 0;
    free(large);
    printf("heap: %lu wrong bytes\n", wrong);
}

static void floats(void)
{
    printf("floats: %.3f %e %g %a %10.2f|%-10.1f|\n", M_PI, 6.02214076e23, 1e-7, 0.1, -12.345, 2.5);
    printf("special: %f %f %f %g\n", INFINITY, -INFINITY, NAN, -0.0);
    printf("parsed: %.17g %.17g\n", strtod("0.1", NULL), strtod("1e308", NULL) * 10);
    printf("integers: %d %u %lld %#x %o %c %5d|%-5d|%05d\n", -42, 42u, -9007199254740993LL, 255u, 8u, 'x', 7, 7, 7);
}

static void clocks(void)
{
    struct timespec before, after, pause = {0, 2000000};
    int bad = clock_gettime(CLOCK_MONOTONIC, &before);
    bad |= nanosleep(&pause, NULL);
    bad |= clock_gettime(CLOCK_MONOTONIC, &after);
    long long passed = (after.tv_sec - before.tv_sec) * 1000000000LL + (after.tv_nsec - before.tv_nsec);
    printf("clocks: %s, %s\n", bad ? "FAILED" : "answer", passed >= 2000000 ? "sleep sleeps" : "SLEEP DOES NOT SLEEP");
    time_t fixed = 1700000000;
    char text[64];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime(&fixed));
    printf("date: %s\n", text);
}

static void randomness(void)
{
    unsigned char a[32], b[32];
    int bad = getentropy(a, sizeof a) | getentropy(b, sizeof b);
    printf("random: %s\n", !bad && memcmp(a, b, sizeof a) ? "differs" : "DOES NOT DIFFER");
}

int main(void)
{
    sorting();
    heap();
    floats();
    clocks();
    randomness();
    return 0;
}
