/* Product of two matrices of doubles, the textbook's three loops with the middle ones exchanged. */
#include "kernel.h"

enum { N = 300 };

static double a[N][N], b[N][N], c[N][N];

int main(int argc, char **argv)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(random_number() % 1000) / 1000.0;
            b[i][j] = (double)(random_number() % 1000) / 1000.0;
        }
    for (long turn = turns(argc, argv, 240); turn > 0; turn--) {
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                double x = a[i][k];
                for (int j = 0; j < N; j++)
                    c[i][j] += x * b[k][j];
            }
        a[turn % N][0] = c[0][turn % N] * 1e-9;
    }
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            sum += c[i][j];
    return answer(bits(sum));
}
