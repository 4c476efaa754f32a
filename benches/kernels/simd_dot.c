/* Dot product of two vectors of floats that stay in the cache, four lanes at a time with two accumulators. */
#include "kernel.h"

typedef float f32x4 __attribute__((vector_size(16)));

enum { N = 4096 };

static f32x4 a[N / 4], b[N / 4];

int main(int argc, char **argv)
{
    float total = 0;
    for (int i = 0; i < N / 4; i++)
        for (int lane = 0; lane < 4; lane++) {
            a[i][lane] = (float)(random_number() % 256) / 256.0f;
            b[i][lane] = (float)(random_number() % 256) / 256.0f;
        }
    for (long turn = turns(argc, argv, 2300000); turn > 0; turn--) {
        f32x4 even = {0}, odd = {0};
        for (int i = 0; i < N / 4; i += 2) {
            even += a[i] * b[i];
            odd += a[i + 1] * b[i + 1];
        }
        even += odd;
        total += even[0] + even[1] + even[2] + even[3];
        a[turn & 1023][turn & 3] = (float)(turn & 255) / 256.0f;
    }
    return answer(bits((double)total));
}
