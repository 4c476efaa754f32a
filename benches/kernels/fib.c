/* Fibonacci numbers by plain double recursion: the cost of a call. */
#include "kernel.h"

__attribute__((noinline)) static uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    for (long i = turns(argc, argv, 1100); i > 0; i--)
        sum = sum * 31 + fib(27 + (uint32_t)(i & 1));
    return answer(sum);
}
