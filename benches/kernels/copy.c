/* memory.copy of blocks from 64 bytes to 64 KiB, overlapping and not. */
#include "kernel.h"

enum { SIZE = 1 << 20 };

static uint8_t data[2 * SIZE];

int main(int argc, char **argv)
{
    for (int i = 0; i < 2 * SIZE; i++)
        data[i] = (uint8_t)random_number();
    for (long turn = turns(argc, argv, 20000000); turn > 0; turn--) {
        size_t length = (size_t)64 << (random_number() % 11);
        length = length > 4096 && (turn & 15) ? 700 : length;
        uint32_t from = random_number() % SIZE, to = turn % 4 ? random_number() % SIZE : from + 40;
        memmove(data + to, data + from, length);
    }
    uint64_t sum = 0;
    for (int i = 0; i < 2 * SIZE; i++)
        sum = sum * 31 + data[i];
    return answer(sum);
}
