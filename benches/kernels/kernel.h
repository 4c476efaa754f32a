/* What every kernel shares: how much to do, a small generator of numbers, and how the answer is told.
 *
 * The first argument is the share of the full work in percent (100 without it). The answer depends on it, so engines
 * are compared at the same share. Everything is seeded and without host calls except the last line. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `full` turns at 100 %, at least one. */
static inline long turns(int argc, char **argv, long full)
{
    double percent = argc > 1 ? atof(argv[1]) : 100.0;
    long n = (long)((double)full * percent / 100.0);
    return n < 1 ? 1 : n;
}

static uint32_t random_state = 2463534242u;

static inline uint32_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static inline int answer(uint64_t checksum)
{
    printf("%016llx\n", (unsigned long long)checksum);
    return 0;
}

static inline uint64_t bits(double value)
{
    uint64_t b;
    memcpy(&b, &value, sizeof b);
    return b;
}

#endif
