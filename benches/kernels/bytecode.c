/* An interpreter inside the interpreter: a register machine's `switch` loop that computes Collatz lengths. */
#include "kernel.h"

enum op { SET, ADD, AND, SHIFT, TRIPLE, BRANCH_ZERO, BRANCH_ONE, BRANCH_LESS, JUMP, MAX, STOP };

struct instruction { uint8_t op, a, b; int8_t jump; };

static const struct instruction program[] = {
    {SET, 0, 1, 0},           /* 0: n = 1 */
    {SET, 4, 0, 0},           /* 1: best = 0 */
    {ADD, 1, 0, 0},           /* 2: x = n */
    {SET, 2, 0, 0},           /* 3: length = 0 */
    {BRANCH_ONE, 1, 0, 7},    /* 4: while x != 1 */
    {AND, 3, 1, 0},           /* 5: odd = x & 1 */
    {BRANCH_ZERO, 3, 0, 3},   /* 6 */
    {TRIPLE, 1, 0, 0},        /* 7: x = 3x + 1 */
    {JUMP, 7, 0, 2},          /* 8 */
    {SHIFT, 1, 0, 0},         /* 9: x = x / 2 */
    {JUMP, 2, 0, -6},         /* 10: length += 1 */
    {MAX, 4, 2, 0},           /* 11: best = max(best, length) */
    {JUMP, 0, 0, 1},          /* 12: n += 1 */
    {BRANCH_LESS, 0, 5, -11}, /* 13: while n < limit */
    {STOP, 4, 0, 0},          /* 14 */
};

__attribute__((noinline)) static uint64_t run(const struct instruction *code, uint64_t *r)
{
    const struct instruction *at = code;
    for (;;) {
        const struct instruction i = *at;
        switch (i.op) {
        case SET: r[i.a] = i.b; at++; break;
        case ADD: r[i.a] = r[i.b]; at++; break;
        case AND: r[i.a] = r[i.b] & 1; at++; break;
        case SHIFT: r[i.a] >>= 1; at++; break;
        case TRIPLE: r[i.a] = r[i.a] * 3 + 1; at++; break;
        case BRANCH_ZERO: at += r[i.a] == 0 ? i.jump : 1; break;
        case BRANCH_ONE: at += r[i.a] == 1 ? i.jump : 1; break;
        case BRANCH_LESS: at += r[i.a] < r[i.b] ? i.jump : 1; break;
        case JUMP: r[i.a]++; at += i.jump; break;
        case MAX: r[i.a] = r[i.a] > r[i.b] ? r[i.a] : r[i.b]; at++; break;
        default: return r[i.a];
        }
    }
}

int main(int argc, char **argv)
{
    uint64_t registers[8] = {0};
    registers[5] = (uint64_t)turns(argc, argv, 640000);
    uint64_t best = run(program, registers);
    return answer(best * 31 + registers[0]);
}
