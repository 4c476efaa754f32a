/* Five bodies under gravity, advanced step by step: scalar double arithmetic with square roots and divisions. */
#include <math.h>
#include "kernel.h"

enum { BODIES = 5 };

static struct body { double p[3], v[3], mass; } bodies[BODIES];

static void advance(double dt)
{
    for (int i = 0; i < BODIES; i++) {
        for (int j = i + 1; j < BODIES; j++) {
            struct body *a = &bodies[i], *b = &bodies[j];
            double d[3], square = 0;
            for (int k = 0; k < 3; k++) {
                d[k] = a->p[k] - b->p[k];
                square += d[k] * d[k];
            }
            double pull = dt / (square * sqrt(square));
            for (int k = 0; k < 3; k++) {
                a->v[k] -= d[k] * b->mass * pull;
                b->v[k] += d[k] * a->mass * pull;
            }
        }
    }
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            bodies[i].p[k] += dt * bodies[i].v[k];
}

int main(int argc, char **argv)
{
    for (int i = 0; i < BODIES; i++) {
        double radius = i * 4.0, speed = i ? 6.0 / sqrt(radius) : 0;
        bodies[i] = (struct body){{radius, 0.1 * i, 0.05 * i}, {0, speed, 0.01 * i}, i ? 0.01 / i : 39.0};
    }
    for (long i = turns(argc, argv, 17000000); i > 0; i--)
        advance(0.001);
    uint64_t sum = 0;
    for (int i = 0; i < BODIES; i++)
        sum = sum * 31 + bits(bodies[i].p[0]) + bits(bodies[i].v[1]);
    return answer(sum);
}
