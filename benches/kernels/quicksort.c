/* Quicksort of random numbers, written out (no library call): data-dependent branches and swaps. */
#include "kernel.h"

enum { N = 200000 };

static uint32_t values[N];

static void sort(uint32_t *low, uint32_t *high)
{
    while (low < high) {
        uint32_t pivot = low[(high - low) / 2], *i = low, *j = high;
        while (i <= j) {
            while (*i < pivot)
                i++;
            while (*j > pivot)
                j--;
            if (i <= j) {
                uint32_t t = *i;
                *i++ = *j;
                *j-- = t;
            }
        }
        if (j - low < high - i) {
            sort(low, j);
            low = i;
        } else {
            sort(i, high);
            high = j;
        }
    }
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    for (long turn = turns(argc, argv, 55); turn > 0; turn--) {
        for (int i = 0; i < N; i++)
            values[i] = random_number();
        sort(values, values + N - 1);
        for (int i = 1; i < N; i++)
            if (values[i - 1] > values[i])
                return 1;
        sum = sum * 31 + values[N / 2];
    }
    return answer(sum);
}
