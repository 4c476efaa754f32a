/* Calls through a table of functions that changes all the time: `call_indirect`, its checks and its prediction. */
#include "kernel.h"

typedef uint32_t operation(uint32_t, uint32_t);

static uint32_t add(uint32_t a, uint32_t b) { return a + b; }
static uint32_t subtract(uint32_t a, uint32_t b) { return a - b; }
static uint32_t multiply(uint32_t a, uint32_t b) { return a * (b | 1); }
static uint32_t either(uint32_t a, uint32_t b) { return a | b; }
static uint32_t differ(uint32_t a, uint32_t b) { return a ^ b; }
static uint32_t turn_left(uint32_t a, uint32_t b) { return a << (b & 15) | a >> (31 - (b & 15)); }
static uint32_t average(uint32_t a, uint32_t b) { return a / 2 + b / 2; }
static uint32_t complement(uint32_t a, uint32_t b) { return ~a + b; }

static operation *volatile operations[8] = {add, subtract, multiply, either, differ, turn_left, average, complement};

int main(int argc, char **argv)
{
    uint32_t value = 1;
    long n = turns(argc, argv, 480000000);
    for (long i = 0; i < n; i++)
        value = operations[(i ^ i >> 3) & 7](value, (uint32_t)i);
    return answer(value);
}
