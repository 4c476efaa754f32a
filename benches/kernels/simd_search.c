/* Finds every newline of a text, sixteen bytes at a time: compare, mask, and walk the mask's bits. */
#include "kernel.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
static uint32_t matches(const uint8_t *p, uint8_t needle)
{
    return wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(p), wasm_i8x16_splat((int8_t)needle)));
}
#else
#include <emmintrin.h>
static uint32_t matches(const uint8_t *p, uint8_t needle)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8((char)needle)));
}
#endif

enum { SIZE = 1 << 16 };

static uint8_t text[SIZE];

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    for (int i = 0; i < SIZE; i++)
        text[i] = (uint8_t)(random_number() % 61 ? 'a' + i % 26 : '\n');
    for (long turn = turns(argc, argv, 300000); turn > 0; turn--) {
        for (int i = 0; i < SIZE; i += 16)
            for (uint32_t mask = matches(text + i, '\n'); mask; mask &= mask - 1)
                sum += (uint32_t)(i + __builtin_ctz(mask)) ^ (uint32_t)turn;
        text[turn % SIZE] ^= 1;
    }
    return answer(sum);
}
