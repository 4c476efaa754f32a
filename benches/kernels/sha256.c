/* SHA-256 (FIPS 180-4) of a megabyte, over and over: rotations, additions and loads from a small table.
 * The round constants are computed from the primes as the standard defines them. */
#include "kernel.h"

static uint32_t k[64], h[8];

static uint32_t turn_right(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* The first 32 bits of the fraction of the root (2nd or 3rd) of n, by bisection on integers. */
static uint32_t fraction(uint32_t n, int cube)
{
    unsigned __int128 low = 0, high = (unsigned __int128)32 << 32;
    while (high - low > 1) {
        unsigned __int128 middle = (low + high) / 2;
        int below = cube ? middle * middle * middle <= (unsigned __int128)n << 96 : middle * middle <= (unsigned __int128)n << 64;
        if (below)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

static void constants(void)
{
    int found = 0;
    for (uint32_t n = 2; found < 64; n++) {
        int prime = 1;
        for (uint32_t d = 2; d * d <= n; d++)
            prime &= n % d != 0;
        if (!prime)
            continue;
        if (found < 8)
            h[found] = fraction(n, 0);
        k[found++] = fraction(n, 1);
    }
}

static void block(const uint8_t *p)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (turn_right(x, 7) ^ turn_right(x, 18) ^ x >> 3) + w[i - 7] +
               (turn_right(y, 17) ^ turn_right(y, 19) ^ y >> 10);
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t e = s[4], a = s[0];
        uint32_t t1 = s[7] + (turn_right(e, 6) ^ turn_right(e, 11) ^ turn_right(e, 25)) + ((e & s[5]) ^ (~e & s[6])) +
                      k[i] + w[i];
        uint32_t t2 = (turn_right(a, 2) ^ turn_right(a, 13) ^ turn_right(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6];
        s[6] = s[5];
        s[5] = e;
        s[4] = s[3] + t1;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = a;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

int main(int argc, char **argv)
{
    enum { SIZE = 1 << 20 };
    static uint8_t data[SIZE];
    constants();
    if (k[0] != 0x428a2f98 || k[63] != 0xc67178f2 || h[7] != 0x5be0cd19)
        return 1;
    for (int i = 0; i < SIZE; i++)
        data[i] = (uint8_t)random_number();
    for (long turn = turns(argc, argv, 180); turn > 0; turn--)
        for (int at = 0; at < SIZE; at += 64)
            block(data + at);
    return answer((uint64_t)h[0] << 32 | h[7]);
}
