/* Power iteration on the infinite matrix 1 / ((i+j)(i+j+1)/2 + i + 1), cut to N: divisions in nested loops. */
#include <math.h>
#include "kernel.h"

enum { N = 600 };

static double u[N], v[N], w[N];

static double entry(int i, int j)
{
    return 1.0 / (double)((i + j) * (i + j + 1) / 2 + i + 1);
}

static void times(const double *in, double *out, int transposed)
{
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++)
            sum += (transposed ? entry(j, i) : entry(i, j)) * in[j];
        out[i] = sum;
    }
}

int main(int argc, char **argv)
{
    for (int i = 0; i < N; i++)
        u[i] = 1.0;
    double ratio = 0;
    for (long turn = turns(argc, argv, 900); turn > 0; turn--) {
        times(u, w, 0);
        times(w, v, 1);
        double uv = 0, vv = 0;
        for (int i = 0; i < N; i++) {
            uv += u[i] * v[i];
            vv += v[i] * v[i];
        }
        ratio = uv / vv;
        for (int i = 0; i < N; i++)
            u[i] = v[i] * ratio;
    }
    return answer(bits(ratio));
}
